import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TIMING_PROFILES } from '../../raft/index.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';
import { CATCH_UP_MS, MembershipUnderTest } from './testing/membership-under-test.js';

useVirtualTime();

let t: MembershipUnderTest;

beforeEach(() => {
  t = new MembershipUnderTest();
});
afterEach(() => jest.clearAllTimers());

describe('on a node that does not lead', () => {
  beforeEach(() => {
    t.raft.role = 'follower';
    t.raft.join('b', true);
  });

  it('refuses every change with the text of op-conductor', async () => {
    const text = 'node is not the leader';
    await expect(t.service.add('c', 'c:1', 0, true)).rejects.toMatchObject({
      message: text,
      reason: 'not-leader',
    });
    await expect(t.service.add('c', 'c:1', 0, false)).rejects.toMatchObject({ message: text });
    await expect(t.service.remove('b', 0)).rejects.toMatchObject({ message: text, reason: 'not-leader' });
    await expect(t.service.demote('b', 0)).rejects.toMatchObject({ message: text });
    expect(t.raft.member('b')?.voter).toBe(true);
  });

  it('tries the address before it checks leadership, as op-conductor does', async () => {
    await expect(t.service.add('c', 'nowhere:1', 0, true)).rejects.toMatchObject({ reason: 'unreachable' });
    expect(t.dialled).toEqual(['nowhere:1']);
  });
});

describe('version', () => {
  beforeEach(() => t.raft.join('b', true));
  const calls: [string, (version: number) => Promise<void>][] = [
    ['add a voter', (version) => t.service.add('c', 'c:1', version, true)],
    ['add a non-voter', (version) => t.service.add('c', 'c:1', version, false)],
    ['add a member again', (version) => t.service.add('b', 'b:1', version, true)],
    ['demote', (version) => t.service.demote('b', version)],
    ['remove', (version) => t.service.remove('b', version)],
  ];

  it.each(calls)('%s: refuses an old version, names both, and changes nothing', async (_, call) => {
    const before = JSON.stringify(t.raft.members);
    await expect(call(7)).rejects.toMatchObject({
      message: 'configuration changed since 7 (latest is 1)',
      reason: 'configuration-changed',
      code: -32000,
    });
    expect(JSON.stringify(t.raft.members)).toBe(before);
  });

  it.each(calls)('%s: accepts the current version', async (_, call) => {
    t.raft.inStep('c');
    await call(1);
    expect(t.raft.changes[0]).toContain(' at 1');
  });

  it.each(calls)('%s: does not compare version 0', async (_, call) => {
    t.raft.inStep('c');
    t.raft.index = 5;
    await call(0);
    expect(t.raft.changes[0]).not.toContain(' at ');
  });
});

describe('outcomes', () => {
  it('looks up an unknown outcome, and tries again if the change was not made', async () => {
    t.raft.join('b', true);
    t.raft.outcomes.push({ outcome: 'unknown', reason: 'leadership-lost' });
    await t.service.remove('b', 0);
    expect(t.raft.changes).toEqual(['remove b', 'remove b']);
    t.raft.outcomes.push({ outcome: 'unknown', reason: 'leadership-lost' });
    await t.service.remove('b', 0);
    expect(t.raft.changes).toHaveLength(3);
  });

  it('continues at the new leader if its entry replaced the change', async () => {
    t.raft.join('b', true);
    t.raft.outcomes.push({ outcome: 'rejected', reason: 'superseded' });
    const removed = t.service.remove('b', 0, { by: { address: 'x:1', token: 'alice' } });
    Object.assign(t.raft, { role: 'follower', ready: false, leader: 'c' });
    await removed;
    expect(t.handedOn).toEqual(['conductor_removeServer b 0 false at c for alice']);
  });

  it('begins the error for an outcome that stays unknown with the text of op-conductor', async () => {
    Object.assign(t.raft, { ready: false });
    t.raft.outcomes.push({ outcome: 'unknown', reason: 'this node stopped' });
    const removed = t.service.remove('b', 0);
    removed.catch(() => undefined);
    await pass(11_000);
    await expect(removed).rejects.toMatchObject({ reason: 'unknown-outcome' });
    await expect(removed).rejects.toThrow(/^leadership lost while committing log, and nobody leads/);
  });

  it('shows the reason of a refusal without detail', async () => {
    t.raft.outcomes.push({ outcome: 'rejected', reason: 'change-in-progress' });
    await expect(t.service.demote('b', 0)).rejects.toMatchObject({
      message: 'change-in-progress',
      reason: 'change-in-progress',
    });
  });

  it('demotes and removes', async () => {
    t.raft.join('b', true);
    await t.service.demote('b', 0);
    expect(t.raft.member('b')?.voter).toBe(false);
    await t.service.remove('b', 0);
    expect(t.raft.member('b')).toBeUndefined();
  });
});

describe('replacing a voter', () => {
  const voters = (): string[] => t.raft.members.filter(({ voter }) => voter).map(({ id }) => id);
  beforeEach(() => t.raft.join('b', true));

  it('lets the newcomer get the log without a vote, then swaps both in one step', async () => {
    t.raft.inStep('c');
    await t.service.replace('b', { id: 'c', address: 'c:1' }, 0);
    expect(t.raft.changes).toEqual(['addNonvoter c', 'replace b by c at 11']);
    expect(voters()).toEqual(['a', 'c']);
    expect(t.raft.member('b')).toBeUndefined();
  });

  it('uses a non-voter that has the log as it is, and passes on the version and force of the caller', async () => {
    t.raft.join('c', false);
    await t.service.replace('b', { id: 'c', address: 'c:1' }, 1, { force: true });
    expect(t.raft.changes).toEqual(['replace b by c at 1 by force']);
  });

  it('keeps the old voter while the newcomer is behind', async () => {
    t.raft.progress.set('c', { state: 'snapshot', matchIndex: 0 });
    const replaced = t.service.replace('b', { id: 'c', address: 'c:1' }, 0);
    replaced.catch(() => undefined);
    await pass(CATCH_UP_MS + 50);
    await expect(replaced).rejects.toMatchObject({ reason: 'catch-up-timeout' });
    expect(voters()).toEqual(['a', 'b']);
  });

  it('succeeds if it was done before', async () => {
    t.raft.inStep('c');
    await t.service.replace('b', { id: 'c', address: 'c:1' }, 0);
    const { length } = t.raft.changes;
    await t.service.replace('b', { id: 'c', address: 'c:1' }, 0);
    expect(t.raft.changes).toHaveLength(length);
  });

  it('refuses a node that would follow itself, and one that has no vote to give', async () => {
    await expect(t.service.replace('b', { id: 'b', address: 'b:1' }, 0)).rejects.toMatchObject({
      reason: 'wrong-node',
    });
    await expect(t.service.replace('x', { id: 'c', address: 'c:1' }, 0)).rejects.toMatchObject({
      reason: 'not-a-voter',
    });
    expect(t.raft.changes).toEqual([]);
  });

  it('refuses a newcomer that already votes, since the cluster would have one vote less', async () => {
    t.raft.join('c', true);
    await expect(t.service.replace('b', { id: 'c', address: 'c:1' }, 0)).rejects.toMatchObject({
      reason: 'already-a-voter',
    });
    expect(t.raft.changes).toEqual([]);
    expect(voters()).toEqual(['a', 'b', 'c']);
  });
});

describe('force', () => {
  it('is passed on to every change', async () => {
    t.raft.join('b', true);
    t.raft.inStep('c');
    await t.service.add('c', 'c:1', 0, true, { force: true });
    await t.service.demote('c', 0, { force: true });
    await t.service.remove('b', 0, { force: true });
    expect(t.raft.changes).toEqual([
      'addNonvoter c by force',
      'addVoter c at 11 by force',
      'demote c by force',
      'remove b by force',
    ]);
  });

  it('is suggested by a refusal', async () => {
    t.raft.join('b', true);
    t.raft.outcomes.push({ outcome: 'rejected', reason: 'would-lose-quorum', detail: 'no majority' });
    await expect(t.service.remove('b', 0)).rejects.toMatchObject({
      reason: 'would-lose-quorum',
      message: 'no majority',
    });
  });
});

describe('the timing of the cluster', () => {
  it('is set by profile or by free values', async () => {
    await t.service.setTiming('multi-region', 7);
    await t.service.setTiming({ ...TIMING_PROFILES.lan, electionTimeoutMs: 1234 }, 0);
    expect(t.raft.changes).toEqual(['timing 400 at 7', 'timing 1234 at undefined']);
  });

  it('is refused with a reason', async () => {
    await expect(t.service.setTiming('lan-slow', 0)).rejects.toThrow(
      'there is no timing profile "lan-slow", only lan-fast, lan, multi-region',
    );
    t.raft.outcomes.push({ outcome: 'rejected', reason: 'invalid-timing', detail: 'the lease is too long' });
    await expect(t.service.setTiming('lan', 0)).rejects.toMatchObject({
      message: 'the lease is too long',
      reason: 'invalid-timing',
    });
    t.raft.role = 'follower';
    await expect(t.service.setTiming('lan', 0)).rejects.toThrow('node is not the leader');
  });
});
