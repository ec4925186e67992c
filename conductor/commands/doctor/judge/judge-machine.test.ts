import { describe, expect, it } from '@jest/globals';
import type { Asked, DirectoryAnswers, MachineFacts, NodeFacts, PeerFacts } from '../facts.js';
import { batonPeer, goodAnswers, goodMachine, goodNode } from '../testing/machine-facts.js';
import type { Finding } from './finding.js';
import { judgeMachine } from './judge-machine.js';

const MIB = 1 << 20;

/** Everything that is not ok, as `level check code`. */
const wrong = (changes: Partial<MachineFacts>): string[] =>
  bad(changes).map(({ level, check, code }) => `${level} ${check} ${code}`);

const bad = (changes: Partial<MachineFacts>): Finding[] =>
  judgeMachine({ ...goodMachine, ...changes }).filter(({ level }) => level !== 'ok');

const disk = (answers: DirectoryAnswers, trouble: string | null = null): Partial<MachineFacts> => ({
  directory: { directory: '/data/a/baton', answers: { ...goodAnswers, ...answers }, trouble },
});

const peers = (...found: PeerFacts[]): Partial<MachineFacts> => ({ peers: found });

const opNode = (changes: Partial<NodeFacts['opNode']>): Partial<MachineFacts> => ({
  node: { ...goodNode, opNode: { ...goodNode.opNode, ...changes } },
});
const execution = (changes: Partial<NodeFacts['execution']>): Partial<MachineFacts> => ({
  node: { ...goodNode, execution: { ...goodNode.execution, ...changes } },
});

const silent: Asked<never> = { error: 'no answer within 5000 ms', isMethodMissing: false };
const missing: Asked<never> = { error: 'the method does not exist', isMethodMissing: true };
const block = (number: number, hash?: string, timestamp = 1_700_000_000) => ({
  value: { number, hash, timestamp },
});
const speed = (medianMs: number, slowestMs: number): DirectoryAnswers => ({
  speed: { at: '/data', writes: 40, medianMs, slowestMs },
});
const space = (freeMib: number): DirectoryAnswers => ({
  space: { freeBytes: freeMib * MIB, sizeBytes: 10_240 * MIB },
});

describe('a machine that Baton will run on', () => {
  it('is well if nothing is wrong, and each check says what it saw', () => {
    const found = judgeMachine(goodMachine);
    expect(found.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(new Set(found.map(({ check }) => check))).toEqual(
      new Set([
        ...['ports', 'directory', 'disk-space', 'disk-speed', 'peers', 'timing'],
        ...['op-node', 'sequencer', 'execution-client', 'chain-id', 'heads'],
      ]),
    );
    expect(found.every(({ code, remedy, text }) => code === null && remedy === null && text !== '')).toBe(
      true,
    );
  });

  it('needs no node for a witness, and no list to join a cluster', () => {
    expect(wrong({ node: null, peers: [], peersDigest: null })).toEqual([]);
  });

  it.each<[string, Partial<MachineFacts>, string[]]>([
    [
      'a port that is taken',
      {
        ports: [
          {
            ...{ name: 'RPC', host: '0.0.0.0', port: 8547 },
            problem: { code: 'port-in-use', message: 'cannot listen on the RPC port', remedy: 'stop it' },
          },
        ],
      },
      ['failure ports port-in-use'],
    ],
    [
      'this member already runs',
      { alreadyRuns: true, ports: [], ...disk({ lock: 'held' }) },
      ['warning ports already-runs'],
    ],
    [
      'the directory is in use',
      disk({ contents: { kind: 'baton', files: [] }, lock: 'held' }),
      ['failure directory directory-in-use'],
    ],
    [
      'a file in place of the directory',
      disk({ place: { ...goodAnswers.place, isDirectory: false } }),
      ['failure directory bad-directory'],
    ],
    [
      'no permission to write',
      disk({ place: { ...goodAnswers.place, isWritable: false } }),
      ['failure directory bad-directory'],
    ],
    [
      "another program's database",
      disk({ contents: { kind: 'other-database', files: ['CURRENT'] } }),
      ['failure directory foreign-directory'],
    ],
    [
      'a database without its head',
      disk({ contents: { kind: 'headless-database', files: ['1.ldb'] } }),
      ['failure directory headless-database'],
    ],
    [
      'other files',
      disk({ contents: { kind: 'other-files', files: ['notes'] } }),
      ['warning directory other-files'],
    ],
    ['a lock that cannot be tried', disk({ lock: { error: 'EIO' } }), ['failure directory bad-directory']],
    ['no room for the log', disk(space(100)), ['failure disk-space disk-full']],
    ['little room', disk(space(400)), ['warning disk-space little-space']],
    ['a write that is slow at times', disk(speed(2, 350)), ['warning disk-speed slow-disk']],
    [
      'no commit in time',
      disk(speed(1200, 1500)),
      ['failure disk-speed slow-disk', 'warning timing tight-timing'],
    ],
    ['no write at all', disk({ speed: { error: 'ENOSPC' } }), ['failure disk-speed bad-directory']],
    [
      'a member that is silent',
      peers({ ...batonPeer('b'), found: { kind: 'silent', reason: 'no answer' } }),
      ['failure peers peer-silent'],
    ],
    [
      'a member that does not run yet',
      peers({ ...batonPeer('b'), found: { kind: 'refused', reason: '' } }),
      ['warning peers peer-down'],
    ],
    [
      'a program that is not Baton',
      peers({ ...batonPeer('b'), found: { kind: 'stranger', reason: '404' } }),
      ['failure peers not-a-baton'],
    ],
    ['another member at the address', peers(batonPeer('b', { nodeId: 'c' })), ['failure peers other-member']],
    [
      'a release with another wire version',
      peers(batonPeer('b', { wireProblem: 'b speaks 9' })),
      ['failure peers other-wire-version'],
    ],
    ['another list', peers(batonPeer('b', { peersDigest: 'xyz' })), ['failure peers other-list']],
    [
      'two clusters',
      peers(
        batonPeer('b', { clusterId: 'c1', isEmpty: false }),
        batonPeer('c', { clusterId: 'c2', isEmpty: false }),
      ),
      ['failure peers peers-apart'],
    ],
    [
      'a cluster that does not know this disk',
      peers(batonPeer('b', { clusterId: 'c1', isEmpty: false, peersDigest: null })),
      ['warning peers must-be-added'],
    ],
    [
      'a slow network',
      peers(batonPeer('b', { roundTripMs: 80 })),
      ['warning timing tight-timing', 'warning timing tight-timing'],
    ],
    [
      'a silent op-node',
      opNode({
        head: silent,
        chainId: silent,
        sequencerActive: silent,
        conductorEnabled: silent,
        peers: silent,
      }),
      ['failure op-node op-node-silent'],
    ],
    [
      'no admin API',
      opNode({ sequencerActive: missing, conductorEnabled: { value: true } }),
      ['failure op-node admin-api-off'],
    ],
    [
      'op-node without conductor',
      opNode({ conductorEnabled: { value: false } }),
      ['failure op-node conductor-off'],
    ],
    [
      'a sequencer that runs',
      opNode({ sequencerActive: { value: true } }),
      ['warning sequencer sequencer-runs'],
    ],
    ['few peers', opNode({ peers: { value: 0 } }), ['warning op-node few-peers']],
    [
      'a silent execution client',
      execution({ head: silent, chainId: silent, atNodeHead: silent }),
      ['failure execution-client execution-silent'],
    ],
    ['another chain', execution({ chainId: { value: 902 } }), ['failure chain-id other-chain']],
    ['no chain id', opNode({ chainId: missing }), ['warning chain-id op-node-silent']],
    [
      'another block at the same height',
      execution({ atNodeHead: { value: { hash: '0xff' } } }),
      ['failure heads heads-differ'],
    ],
    [
      'heads far apart',
      execution({ head: block(60), atNodeHead: { value: null } }),
      ['warning heads heads-apart'],
    ],
    ['an old head', opNode({ head: block(100, undefined, 1_699_999_000) }), ['warning heads old-head']],
    [
      'a head in the future',
      opNode({ head: block(100, undefined, 1_700_000_009) }),
      ['warning clocks clocks-differ'],
    ],
  ])('%s', (_name, changes, expected) => {
    expect(wrong(changes)).toEqual(expected);
    for (const { text, remedy } of bad(changes)) expect([text, remedy]).not.toContain('');
  });

  it.each<[string, Partial<MachineFacts>]>([
    [
      'peers have a cluster, and so has this disk',
      {
        ...peers(batonPeer('b', { clusterId: 'c1', isEmpty: false })),
        ...disk({ contents: { kind: 'baton', files: [] } }),
      },
    ],
    ['a chain that moved between two questions', execution({ head: block(102) })],
    [
      'a member of an existing cluster without list',
      {
        ...peers(batonPeer('b', { clusterId: 'c1', isEmpty: false, peersDigest: null })),
        ...disk({ contents: { kind: 'baton', files: [] } }),
      },
    ],
  ])('all is well: %s', (_name, changes) => {
    expect(wrong(changes)).toEqual([]);
  });

  it('reports the last question to a hung disk, and its earlier answers', () => {
    const { speed: _, lock: __, ...answers } = goodAnswers;
    const found = judgeMachine({
      ...goodMachine,
      directory: { directory: '/data/a/baton', answers, trouble: 'the disk has not answered for 5000 ms' },
    }).filter(({ check }) => check === 'directory' || check.startsWith('disk-'));
    expect(found.map(({ check, level }) => `${check} ${level}`)).toEqual([
      'directory ok',
      'disk-space ok',
      'directory failure',
    ]);
    expect(found[2]).toMatchObject({
      code: 'disk-silent',
      text: expect.stringContaining('whether it is in use'),
    });
  });
});
