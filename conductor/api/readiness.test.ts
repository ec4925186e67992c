import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { leading, memberStatus, witnessStatus } from '../commands/testing/fake-cluster.js';
import { LAG_MAX } from '../verdict/consensus-problems.js';
import { Readiness, whyNotActiveLeader } from './readiness.js';

type Changes = Partial<ConductorStatus>;
type Peer = ConductorStatus['peers'][number];

const servers: ConductorStatus['membership']['servers'] = (['a', 'b', 'c'] as const).map((id) => ({
  id,
  addr: `${id}:1`,
  suffrage: 0,
}));
const membership = { version: 7, servers };
const peer: Peer = {
  ...{ id: 'b', addr: 'b:1', suffrage: 0, state: 'replicate', fitness: 'fit' },
  ...{ matchIndex: 200, lagEntries: 0, lastContactMs: 10 },
};
const node = memberStatus('b').node;
const head = memberStatus('b').head!;

const bad = (code: string, severity: 'unhealthy' | 'degraded' = 'unhealthy'): Changes => ({
  health: {
    status: severity,
    summary: code,
    reasons: [{ check: 'c', code, severity, message: `says ${code}` }],
    checkedAtMs: 1,
  },
});

let own: ConductorStatus;
let leader: unknown;
let asked: string[];
let readiness: Readiness;

beforeEach(() => {
  own = memberStatus('b', { membership, leader: { id: 'a', addr: 'a:1' } });
  leader = leading('a', { membership, peers: [peer] });
  asked = [];
  readiness = new Readiness({
    status: () => own,
    askStatus: async (address) => {
      asked.push(address);
      if (leader instanceof Error) throw leader;
      return { nodeId: 'a', status: leader };
    },
  });
});

describe('a follower', () => {
  it('is ready if it is well and its leader says that it has everything', async () => {
    expect(await readiness.whyNotReady()).toBeUndefined();
    expect(asked).toEqual(['a:1']);
  });

  it.each<[string, Changes, string]>([
    ['is stopped', { stopped: true }, 'the conductor is stopped'],
    ['is not a member', { membership: { version: 0, servers: [] } }, 'does not belong to a cluster yet'],
    ['was removed', { membership: { version: 9, servers: servers.slice(2) } }, 'is not a member'],
    [
      'has no vote',
      { membership: { version: 9, servers: [{ ...servers[1]!, suffrage: 1 }] } },
      'has no vote',
    ],
    ['knows no leader', { leader: null }, 'knows no leader'],
    [
      'is paused',
      { paused: true, active: false, pausedBy: 'conductor_pause' },
      'paused (by conductor_pause)',
    ],
    ['has no op-node', { node: { ...node, reachable: false, reason: 'op-node: hangs' } }, 'op-node: hangs'],
    [
      'was not checked',
      { health: { status: 'unknown', summary: '', reasons: [], checkedAtMs: null } },
      'has not been checked',
    ],
    ['has few peers', bad('too-few-peers'), 'says too-few-peers'],
    ['is on another branch', bad('other-branch'), 'says other-branch'],
    ['lags', { node: { ...node, lagBlocks: LAG_MAX + 1 } }, 'misses 17 committed blocks'],
  ])('is not ready while it %s, and does not ask the leader', async (_what, changes, reason) => {
    own = { ...own, ...changes };
    expect(await readiness.whyNotReady()).toContain(reason);
    expect(asked).toEqual([]);
  });

  it.each<[string, Changes]>([
    ['the heads of all are old', bad('unsafe-head-old')],
    ['the batcher has stopped', bad('safe-head-old')],
    ['a fault is tolerated', bad('rollup-boost-partial', 'degraded')],
    ['nothing is committed yet', { head: null, node: { ...node, lagBlocks: null } }],
    ['it is a few blocks behind', { node: { ...node, lagBlocks: LAG_MAX } }],
  ])('is ready while %s', async (_what, changes) => {
    own = { ...own, ...changes };
    expect(await readiness.whyNotReady()).toBeUndefined();
  });

  it.each<[string, () => unknown, string | undefined]>([
    ['does not answer', () => new Error('deaf'), 'the leader a does not answer: deaf'],
    ['no longer leads', () => memberStatus('a'), 'a is not the leader of this node'],
    ['does not know it', () => leading('a', { peers: [] }), 'a is not the leader of this node'],
    ['sends a snapshot', () => leading('a', { peers: [{ ...peer, state: 'snapshot' }] }), '(snapshot)'],
    ['mistrusts its disk', () => leading('a', { peers: [{ ...peer, state: 'reverted' }] }), '(reverted)'],
    ['has more', () => leading('a', { peers: [{ ...peer, lagEntries: 17 }] }), 'misses 17 entries'],
    [
      'has higher blocks',
      () => leading('a', { peers: [peer], head: { ...head, number: 120 } }),
      'misses 20 committed',
    ],
    ['is of another version', () => ({ id: 'a' }), undefined],
  ])('depends on its leader, which %s', async (_what, said, reason) => {
    leader = said();
    const found = await readiness.whyNotReady();
    if (reason === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(reason);
  });

  it('asks its leader once for concurrent requests', async () => {
    await Promise.all(Array.from({ length: 50 }, () => readiness.whyNotReady()));
    expect(asked).toHaveLength(1);
    own = { ...own, leader: { id: 'c', addr: 'c:1' } };
    await readiness.whyNotReady();
    expect(asked).toEqual(['a:1', 'c:1']);
  });
});

const halt = { sinceMs: 7, owner: 'alice@ops', reason: 'bad upgrade' };

it('of a halted cluster is not an active leader', () => {
  const idle = { ...leading('b'), node: { ...node, sequencerActive: false }, halt };
  expect(whyNotActiveLeader(idle)).toBe('the cluster is halted');
});

describe('a leader', () => {
  it.each<[Changes, string | undefined]>([
    [{}, undefined],
    [{ ready: false }, 'its leadership is not complete yet'],
    [{ node: { ...node, startHeldBy: 'the heads of b are not known' } }, 'the heads of b are not known'],
    [{ node: { ...node, sequencerActive: false } }, 'its sequencer is not active'],
    // Nodes are updated during a halt.
    [{ node: { ...node, sequencerActive: false }, halt }, undefined],
    [{ ready: false, halt }, 'its leadership is not complete yet'],
    [{ paused: true }, 'paused (by an operator)'],
    [bad('too-few-peers'), 'says too-few-peers'],
  ])('%j', async (changes, reason) => {
    own = { ...leading('b', { membership }), ...changes };
    const found = await readiness.whyNotReady();
    if (reason === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(reason);
    expect(asked).toEqual([]);
  });
});

describe('a witness', () => {
  const witness = (changes: Changes = {}): ConductorStatus =>
    witnessStatus('b', { membership, leader: { id: 'a', addr: 'a:1' }, ...changes });

  it('is ready if it follows with the whole log, with or without a node', async () => {
    own = witness();
    expect(await readiness.whyNotReady()).toBeUndefined();
    expect(asked).toEqual(['a:1']);
  });

  it.each<[string, Changes, Partial<Peer>, string]>([
    ['knows no leader', { leader: null }, {}, 'knows no leader'],
    ['is paused', { paused: true, active: false }, {}, 'paused'],
    [
      'has no vote',
      { membership: { version: 9, servers: [{ ...servers[1]!, suffrage: 1 }] } },
      {},
      'no vote',
    ],
    ['lacks a part of the log', {}, { lagEntries: LAG_MAX + 1 }, "misses 17 entries of the leader's log"],
    ['leads, since nobody else can', { role: 'leader', ready: true }, {}, 'it has no sequencer'],
  ])('is not ready while it %s', async (_what, changes, seen, reason) => {
    own = witness(changes);
    leader = leading('a', { membership, peers: [{ ...peer, ...seen }] });
    expect(await readiness.whyNotReady()).toContain(reason);
  });
});

describe('the active leader', () => {
  it.each<[string, ConductorStatus, string | undefined]>([
    ['leads and sequences', leading('a'), undefined],
    ['only follows', memberStatus('b'), 'a leads'],
    ['knows no leader', memberStatus('b', { leader: null }), 'the node knows no leader'],
    ['leads only', memberStatus('a', { role: 'leader' }), 'its sequencer is not active'],
    ['sequences without leading', { ...leading('b'), role: 'follower' }, 'a leads'],
    [
      'leads by override, and sequences',
      { ...leading('b'), role: 'follower', leaderOverridden: true },
      undefined,
    ],
    ['leads as a witness', witnessStatus('w', { role: 'leader', ready: true }), 'it has no sequencer'],
    ['leads by override', memberStatus('b', { leaderOverridden: true }), 'its sequencer is not active'],
  ])('%s', (_what, status, reason) => {
    const found = whyNotActiveLeader(status);
    if (reason === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(reason);
  });
});
