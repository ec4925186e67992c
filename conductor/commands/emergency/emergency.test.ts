import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../../rpc/server/conductor-status.js';
import { runCommand } from '../index.js';
import { CommandLine } from '../testing/command-line.js';
import { memberStatus, witnessStatus } from '../testing/fake-cluster.js';

let t: CommandLine;

/** The conductors' reactions to calls. */
const obey = (id: string, method: string, params: unknown[]): { result: unknown } => {
  const { cluster } = t;
  switch (method) {
    case 'conductor_pause':
      cluster.change(id, { paused: true, pausedBy: 'conductor_pause' });
      break;
    case 'conductor_overrideLeader':
      cluster.change(id, { leaderOverridden: params[0] === true });
      break;
    case 'conductor_transferLeaderToServer':
      cluster.lead(String(params[0]));
      changeNode(String(params[0]), { sequencerActive: false });
      break;
    case 'conductor_stopSequencer':
      changeNode(id, { sequencerActive: false });
      return { result: hashOf(100) };
    case 'conductor_startSequencer':
      changeNode(id, {
        sequencerActive: true,
        head: headAt(cluster.get(id).status.node.head!.number + 1),
        overriddenSinceMs: params[1] === true ? 1_700_000_000_000 : null,
      });
  }
  return { result: null };
};

const hashOf = (number: number): string => `0x${number.toString(16).padStart(64, '0')}`;
const headAt = (number: number): NonNullable<ConductorStatus['node']['head']> => ({
  ...{ number, hash: hashOf(number), parentHash: hashOf(number - 1), timestamp: 1_700_000_000 + number },
});

function changeNode(id: string, changes: Partial<ConductorStatus['node']>): void {
  const { node } = t.cluster.get(id).status;
  t.cluster.change(id, { node: { ...node, ...changes } });
}

/** Of three members, b is left; its node is at block 100. */
async function loseQuorum(): Promise<void> {
  await t.cluster.kill('a');
  t.cluster.change('b', { role: 'follower', leader: null });
}

const at = (member: string, ...argv: string[]): Promise<number> =>
  runCommand([...argv, '--rpc', t.cluster.url(member)], t.io());

const withoutTimes = (): string[] => t.printed.map((line) => line.replace(/ \(\d+\.\d s\)$/, ''));

beforeEach(async () => {
  t = await CommandLine.start();
  t.cluster.onCall = obey;
  for (const id of ['a', 'b', 'c']) changeNode(id, { head: headAt(100) });
});
afterEach(() => t.stop());

describe('override --sequence', () => {
  it('pauses all members that answer, stops other sequencers, starts this one, and prints each step', async () => {
    await loseQuorum();
    t.cluster.get('a').silent = true;
    changeNode('c', { sequencerActive: true });
    expect(await at('b', 'override', 'b', '--sequence')).toBe(0);
    expect(t.cluster.calls).toEqual([
      'b conductor_pause []',
      'c conductor_pause []',
      'c conductor_stopSequencer []',
      'b conductor_overrideLeader [true]',
      `b conductor_startSequencer ["${hashOf(100)}",true]`,
    ]);
    expect(withoutTimes()).toEqual([
      `The sequencer of b will start on block 100 (${hashOf(100)}) and publish blocks WITHOUT CONSENSUS.`,
      'There is no leader.',
      'b, c will be paused, and the sequencer of c stopped; b will call itself leader.',
      'These do not answer: a. Make sure that they are stopped, or cut off, and stay so: if one of them sequences, the chain forks.',
      'Its op-node forgets that only by a restart. Undo with baton override b --remove.',
      'The number of voters stays 3; the failure tolerance stays 0.',
      'b, c: paused',
      `c: sequencer stopped at ${hashOf(100)}`,
      'b: calls itself leader',
      `b: sequencer started on block 100 (${hashOf(100)})`,
      'b sequences at block 101 without consensus: no other disk has its blocks. Undo: baton override b --remove',
    ]);
  });

  it('names recover and its danger if the quorum is lost', async () => {
    await loseQuorum();
    await t.cluster.kill('c');
    expect(await at('b', 'override', 'b', '--sequence', '--dry-run')).toBe(0);
    expect(t.printed.join('\n')).toMatch(
      /recover DIRECTORY .* there are two clusters, which build two chains/,
    );
    expect(t.cluster.calls).toEqual([]);
  });

  it('is refused while a member leads, unless forced', async () => {
    expect(await t.baton('override', 'b', '--sequence')).toBe(1);
    expect(t.failure()).toEqual(['error: a leads in term 4', 'leader-exists']);
    expect(await t.baton('override', 'b', '--sequence', '--force', '--dry-run')).toBe(0);
    expect(t.printed).toContain('a leads in term 4; it will be paused.');
    expect(t.cluster.calls).toEqual([]);
  });

  it.each<[string, string, () => void]>([
    [
      'unfit-target',
      'b is at block 100, and c at up to 103: the blocks between would be lost',
      () => changeNode('c', { head: headAt(103) }),
    ],
    [
      'unfit-target',
      'b is at block 100, and block 102 is committed: 2 blocks would be lost',
      () => t.cluster.change('c', { head: headAt(102) }),
    ],
    [
      'unfit-target',
      'b is on another branch than the committed chain',
      () => changeNode('b', { branch: 'other' }),
    ],
    [
      'unknown-sequencer',
      'nobody knows whether c sequences: op-node does not answer',
      () => changeNode('c', { sequencerActive: null }),
    ],
  ])('is refused with %s: %s, unless forced', async (code, text, given) => {
    await loseQuorum();
    given();
    expect(await at('b', 'override', 'b', '--sequence')).toBe(1);
    expect(t.failure()).toEqual([`error: ${text}`, code]);
    expect(t.cluster.calls).toEqual([]);
    expect(await at('b', 'override', 'b', '--sequence', '--force', '--dry-run')).toBe(0);
  });

  it.each<[string, string, () => void]>([
    [
      'unfit-target',
      'b cannot reach its node: op-node: ECONNREFUSED',
      () => changeNode('b', { reachable: false, reason: 'op-node: ECONNREFUSED' }),
    ],
    ['unfit-target', 'b does not know the head of its node', () => changeNode('b', { head: null })],
    ['unfit-target', 'b is a witness: it has no sequencer', () => t.cluster.change('b', witnessOf('b'))],
  ])('is refused with %s: %s, even if forced', async (code, text, given) => {
    await loseQuorum();
    given();
    expect(await at('b', 'override', 'b', '--sequence', '--force')).toBe(1);
    expect(t.failure()).toEqual([`error: ${text}`, code]);
    expect(t.cluster.calls).toEqual([]);
  });

  it('starts nothing beside a sequencer that does not stop', async () => {
    await loseQuorum();
    changeNode('c', { sequencerActive: true });
    t.cluster.onCall = (id, method, params) =>
      method === 'conductor_stopSequencer'
        ? { error: { code: -32000, message: 'no answer within 5000 ms' } }
        : obey(id, method, params);
    expect(await at('b', 'override', 'b', '--sequence')).toBe(1);
    expect(t.failure()[1]).toBe('refused');
    expect(t.cluster.calls.join()).not.toMatch(/overrideLeader|startSequencer/);
  });

  it('is undone by --remove, which says what remains to be done', async () => {
    await loseQuorum();
    await at('b', 'override', 'b', '--sequence');
    t.cluster.calls.length = t.printed.length = 0;
    expect(await at('b', 'override', 'b', '--remove')).toBe(0);
    expect(t.cluster.calls).toEqual(['b conductor_stopSequencer []', 'b conductor_overrideLeader [false]']);
    expect(withoutTimes()).toEqual([
      'The sequencer of b, which publishes without consensus, will be stopped.',
      'b will be leader only if the cluster elects it.',
      'The number of voters stays 3; the failure tolerance stays 0.',
      `b: sequencer stopped at ${hashOf(100)}`,
      'b is leader only if the cluster elects it. Restart its op-node now: it forgets admin_overrideLeader by nothing else, and baton status shows node-overridden until then',
    ]);
    expect(await at('b', 'status')).toBe(2);
    expect(t.printed.join('\n')).toMatch(
      /the op-node of b publishes without its conductor until it is restarted \(node-overridden\)/,
    );
  });
});

describe('force-active', () => {
  const pause = (...ids: string[]): void => ids.forEach((id) => t.cluster.change(id, { paused: true }));

  it('stops the active sequencer, moves leadership, and starts the other one where the first stopped', async () => {
    pause('a', 'b', 'c');
    expect(await t.baton('force-active', 'b')).toBe(0);
    expect(t.cluster.calls).toEqual([
      'a conductor_stopSequencer []',
      expect.stringMatching(/^a conductor_transferLeaderToServer \["b"/),
      `b conductor_startSequencer ["${hashOf(100)}",false]`,
    ]);
    expect(withoutTimes()).toEqual([
      'The sequencer of a will be stopped.',
      'Leadership will move from a to b.',
      `The sequencer of b, now at block 100 (${hashOf(100)}), will be started. Its blocks are committed as ever.`,
      'While b is paused nobody stops that sequencer, also if it falls sick: baton resume b as soon as possible.',
      'The number of voters stays 3; the failure tolerance stays 1.',
      `a: sequencer stopped at ${hashOf(100)}`,
      'b: leads in term 5',
      `b: sequencer started on block 100 (${hashOf(100)})`,
      'b sequences at block 101; it is paused, and stays active until somebody stops it',
    ]);
  });

  it('starts the sequencer of a leader that is paused', async () => {
    pause('a');
    changeNode('a', { sequencerActive: false });
    expect(await t.baton('force-active', 'a')).toBe(0);
    expect(t.cluster.calls).toEqual([`a conductor_startSequencer ["${hashOf(100)}",false]`]);
  });

  it('needs a paused member: others decide for themselves', async () => {
    expect(await t.baton('force-active', 'b')).toBe(1);
    expect(t.failure()).toEqual([
      'error: b is not paused: as leader it starts its sequencer by itself',
      'not-paused',
    ]);
    expect(t.noted.at(-1)).toContain('baton transfer');
  });

  it('waits for the committed blocks that the node lacks', async () => {
    pause('a', 'b');
    t.cluster.onCall = (id, method, params) => {
      if (method === 'conductor_transferLeaderToServer') t.cluster.change('a', { head: headAt(101) });
      return obey(id, method, params);
    };
    t.cluster.onView = (views) => void (views === 8 && changeNode('b', { head: headAt(101) }));
    expect(await t.baton('force-active', 'b')).toBe(0);
    expect(t.cluster.calls.at(-1)).toBe(`b conductor_startSequencer ["${hashOf(101)}",false]`);
  });

  it('without a quorum names the other commands and their danger', async () => {
    await loseQuorum();
    await t.cluster.kill('c');
    expect(await at('b', 'force-active', 'b')).toBe(1);
    expect(t.failure()).toEqual(['error: no leader: 1 of 3 voters answer, 2 are needed', 'quorum-lost']);
    expect(t.noted.at(-1)).toMatch(/recover DIRECTORY; .* two chains.*baton override b --sequence/);
    expect(t.cluster.calls).toEqual([]);
  });
});

function witnessOf(id: string): ConductorStatus {
  const { rpcPort } = t.cluster.get(id).status;
  return { ...witnessStatus(id, { rpcPort }), term: memberStatus(id).term };
}
