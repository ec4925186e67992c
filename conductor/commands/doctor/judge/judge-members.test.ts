import { describe, expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../../../rpc/server/conductor-status.js';
import { member, silent, viewOf } from '../../../verdict/testing/views.js';
import { leading, memberStatus } from '../../testing/fake-cluster.js';
import type { ClusterFacts, MemberFacts } from '../facts.js';
import { judgeMembers } from './judge-members.js';

const MIB = 1 << 20;

const told = (id: string, changes: Partial<ConductorStatus> = {}): ConductorStatus => ({
  ...memberStatus(id, {
    measured: { roundTripMs: null, syncMs: 0.5, latenessMs: 3 },
    machine: { clockMs: 1, storage: { freeBytes: 2048 * MIB, sizeBytes: 4096 * MIB } },
    ...changes,
  }),
});
const a = { ...leading('a'), ...{ measured: { roundTripMs: 0.7, syncMs: 0.4, latenessMs: 2 } } };

const sees = (id: string, lost: string[] = [], offsetMs = 0, uncertaintyMs = 1): MemberFacts => ({
  id,
  rpc: {
    sees: ['a', 'b', 'c'].map((other) => ({ id: other, silence: lost.includes(other) ? 'no answer' : '' })),
    clock: { offsetMs, uncertaintyMs },
  },
});

const facts = (changes: Partial<ClusterFacts> = {}): ClusterFacts => ({
  view: viewOf(member({ ...told('a'), ...a }), member(told('b')), member(told('c'))),
  members: [sees('a'), sees('b'), sees('c')],
  ...changes,
});
const withB = (changes: Partial<ConductorStatus>): ClusterFacts =>
  facts({ view: viewOf(member({ ...told('a'), ...a }), member(told('b', changes)), member(told('c'))) });
const withMembers = (...members: MemberFacts[]): ClusterFacts => facts({ members });

const wrong = (given: ClusterFacts): string[] =>
  judgeMembers(given)
    .filter(({ level }) => level !== 'ok')
    .map(({ level, check, code, text }) => `${level} ${check} ${code}: ${text}`);

const storage = (freeMib: number): Partial<ConductorStatus> => ({
  machine: { clockMs: 1, storage: { freeBytes: freeMib * MIB, sizeBytes: 4096 * MIB } },
});

describe('a running cluster', () => {
  it('is well if nothing is wrong, and each check says what it saw', () => {
    const found = judgeMembers(facts());
    expect(found.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(found.map(({ check, text }) => `${check}: ${text}`)).toEqual([
      'verdict: 3 of 3 voters keep up, failure tolerance 1',
      'peers: the 3 members that answer reach each other both ways',
      expect.stringMatching(/^clocks: largest difference: /),
      'timing: worst 99th percentiles: round trip 0.7 ms, synced write 0.5 ms',
      'disk-space: at least 2048 MiB free',
      'versions: v1.2.3',
      'heads: all at block 100',
    ]);
  });

  it.each<[string, ClusterFacts, (string | RegExp)[]]>([
    [
      'one direction is cut',
      withMembers(sees('a'), sees('b', ['c']), sees('c')),
      ['failure peers one-way: b does not reach c: no answer'],
    ],
    [
      'the RPC of a member is not reached',
      withMembers(sees('a'), { id: 'b', rpc: { error: 'ECONNREFUSED' } }, sees('c')),
      ['warning peers rpc-unreachable: the RPC of b: ECONNREFUSED'],
    ],
    [
      'clocks are more than a block time apart',
      withMembers(sees('a'), sees('b', [], -1300), sees('c', [], 1200)),
      ['failure clocks clocks-differ: c is 2500 ms ahead of b (± 2 ms)'],
    ],
    [
      'clocks are half a second apart',
      withMembers(sees('a'), sees('b', [], 700), sees('c')),
      ['warning clocks clocks-differ: b is 700 ms ahead of a (± 2 ms)'],
    ],
    [
      'a release that does not report its clock',
      withMembers(sees('a'), { id: 'b', rpc: { sees: [], clock: undefined } }, sees('c')),
      ['warning clocks older-member: not told by b'],
    ],
    [
      'a slow network',
      facts({
        view: viewOf(
          member({ ...told('a'), ...a, measured: { roundTripMs: 100, syncMs: 1, latenessMs: 1 } }),
        ),
      }),
      [
        'warning verdict no-failure-tolerance: 1 of 1 voters keeps up, and 1 is needed: the next failure of one stops the chain',
        /^warning timing tight-timing: a: the election timeout is 300 ms, but five round trips need 500 ms/,
        /^warning timing tight-timing: a: the rank slot/,
      ],
    ],
    ['a full disk', withB(storage(20)), [/^failure disk-space disk-full: b: 20 MiB free of 4096 MiB/]],
    ['a disk with little room', withB(storage(200)), [/^warning disk-space little-space: b: 200 MiB free/]],
    [
      'a disk whose space is unknown',
      withB({ machine: { clockMs: 1, storage: null } }),
      [/^warning disk-space disk-silent: the free space of b is unknown$/],
    ],
    [
      'another release',
      withB({ version: 'v1.2.2' }),
      ['warning versions versions-differ: a, c: v1.2.3; b: v1.2.2'],
    ],
    [
      'another block at the same height',
      withB({ head: { ...memberStatus('b').head!, hash: `0x${'cd'.repeat(32)}` } }),
      [/^failure heads committed-apart: a has committed 0xab.* as block 100, b 0xcd/],
    ],
  ])('%s', (_name, given, expected) => {
    const found = wrong(given);
    expect(found).toHaveLength(expected.length);
    for (const [at, pattern] of expected.entries()) {
      expect(found[at]).toEqual(typeof pattern === 'string' ? pattern : expect.stringMatching(pattern));
    }
  });

  it('has one chain', () => {
    const on = (id: string, chainId: number | null): ConductorStatus => ({
      ...told(id),
      node: { ...told(id).node, chainId },
    });
    const chains = (b: number | null): string[] =>
      judgeMembers(facts({ view: viewOf(member(on('a', 901)), member(on('b', b)), member(on('c', 901))) }))
        .filter(({ check }) => check === 'chain-id')
        .map(({ level, text }) => `${level}: ${text}`);
    expect(chains(901)).toEqual(['ok: 901']);
    expect(chains(null)).toEqual(['ok: 901']);
    expect(chains(902)).toEqual([
      'failure: their execution clients are on different chains: a, c: 901; b: 902',
    ]);
  });

  it('does not report a clock that may be right: half of a round trip is uncertain', () => {
    expect(
      wrong(withMembers(sees('a', [], 0, 900), sees('b', [], 1500, 400), sees('c', [], 10, 900))),
    ).toEqual([]);
  });

  it('leaves a member that is down to the verdict', () => {
    const view = viewOf(member({ ...told('a'), ...a }), member(told('b')), silent('c'));
    const found = wrong(facts({ view, members: [sees('a', ['c']), sees('b', ['c'])] }));
    expect(found.map((line) => line.replace(/:.*/, ''))).toEqual([
      'warning verdict no-failure-tolerance',
      'warning verdict no-answer',
    ]);
  });
});
