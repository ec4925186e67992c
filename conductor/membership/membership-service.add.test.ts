import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { versionsText, WIRE_VERSIONS } from '../../raft/transport/wire-versions.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';
import {
  CATCH_UP_MS,
  CLUSTER,
  DIAL_MS,
  LAST_INDEX,
  MembershipUnderTest,
  type Said,
} from './testing/membership-under-test.js';

useVirtualTime();

let t: MembershipUnderTest;

beforeEach(() => {
  t = new MembershipUnderTest();
});
afterEach(() => jest.clearAllTimers());

describe('adding a voter', () => {
  it('takes it in without a vote, waits until it has the log, and then gives it the vote', async () => {
    t.raft.progress.set('b', { state: 'probe', matchIndex: 0 });
    const added = t.service.add('b', 'b:1', 0, true);
    await pass(500);
    expect(t.raft.changes).toEqual(['addNonvoter b']);
    expect(t.raft.member('b')).toEqual({ id: 'b', address: 'b:1', incarnation: 'disk-b', voter: false });

    t.raft.progress.set('b', { state: 'snapshot', matchIndex: LAST_INDEX });
    await pass(100);
    t.raft.progress.set('b', { state: 'replicate', matchIndex: LAST_INDEX - 3 });
    await pass(100);
    expect(t.raft.changes).toHaveLength(1);

    t.raft.progress.set('b', { state: 'replicate', matchIndex: LAST_INDEX - 2 });
    await pass(10);
    await added;
    expect(t.raft.changes).toEqual(['addNonvoter b', 'addVoter b at 11']);
    expect(t.raft.member('b')?.voter).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves it without a vote if it does not get the log in time, and says what to do', async () => {
    t.raft.progress.set('b', { state: 'probe', matchIndex: 0 });
    const added = t.service.add('b', 'b:1', 0, true);
    added.catch(() => undefined);
    await pass(CATCH_UP_MS + 50);
    await expect(added).rejects.toMatchObject({ reason: 'catch-up-timeout' });
    await expect(added).rejects.toThrow('stays a non-voter: repeat the call');
    expect(t.raft.member('b')?.voter).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  describe('when leadership is lost in the middle', () => {
    /** b is a member without a vote, and its log is not there yet. */
    async function interrupted(): Promise<{ added: Promise<void> }> {
      t.raft.progress.set('b', { state: 'probe', matchIndex: 0 });
      const added = t.service.add('b', 'b:1', 0, true);
      added.catch(() => undefined);
      await pass(100);
      Object.assign(t.raft, { role: 'follower', ready: false, leader: null });
      await pass(100);
      return { added };
    }

    it('continues here after a re-election', async () => {
      const { added } = await interrupted();
      await pass(300);
      Object.assign(t.raft, { role: 'leader', leader: 'a' });
      await pass(100);
      expect(t.raft.changes).toEqual(['addNonvoter b']);
      t.raft.ready = true;
      t.raft.inStep('b');
      await pass(100);
      await added;
      expect(t.raft.member('b')?.voter).toBe(true);
      expect(t.handedOn).toEqual([]);
    });

    it('continues at the new leader', async () => {
      const { added } = await interrupted();
      await pass(300);
      t.raft.leader = 'c';
      await pass(100);
      await added;
      expect(t.handedOn).toEqual(['conductor_addServerAsVoter b b:1 0 at c']);
    });

    it('has an unknown outcome if nobody leads for long', async () => {
      const { added } = await interrupted();
      await pass(15_000);
      await expect(added).rejects.toMatchObject({ reason: 'unknown-outcome' });
      await expect(added).rejects.toThrow('it is not known whether the change was made');
    });

    it('continues with the promotion if the answer to that was lost', async () => {
      t.raft.outcomes.push(
        { outcome: 'unknown', reason: 'leadership-lost' },
        { outcome: 'unknown', reason: 'leadership-lost' },
      );
      t.raft.inStep('b');
      await t.service.add('b', 'b:1', 1, true);
      expect(t.raft.changes).toEqual([
        'addNonvoter b at 1',
        'addNonvoter b at 1',
        'addNonvoter b at 1',
        'addVoter b at 11',
      ]);
    });
  });

  it('gives no vote if the node was removed meanwhile', async () => {
    t.raft.progress.set('b', { state: 'probe', matchIndex: 0 });
    const added = t.service.add('b', 'b:1', 0, true);
    added.catch(() => undefined);
    await pass(100);
    await t.service.remove('b', 0);
    t.raft.inStep('b');
    await pass(10);
    await expect(added).rejects.toThrow('configuration changed since 11 (latest is 21)');
    expect(t.raft.member('b')).toBeUndefined();
  });

  it('promotes a member without a vote', async () => {
    t.raft.join('b', false);
    await t.service.add('b', 'b:1', 0, true);
    expect(t.raft.member('b')?.voter).toBe(true);
  });

  it('succeeds and changes nothing when repeated', async () => {
    t.raft.join('b', true);
    const before = t.raft.index;
    await t.service.add('b', 'b:1', 0, true);
    expect(t.raft.index).toBe(before);
  });

  it('updates the address of a voter without taking its vote', async () => {
    t.raft.join('b', true);
    t.identities.set('b:2', { nodeId: 'b', clusterId: CLUSTER, incarnation: 'disk-b' });
    await t.service.add('b', 'b:2', 0, true);
    expect(t.raft.member('b')).toMatchObject({ address: 'b:2', voter: true });
    expect(t.raft.changes).toEqual(['addVoter b']);
  });
});

describe('adding a non-voter', () => {
  it('does not wait for it', async () => {
    await t.service.add('b', 'b:1', 0, false);
    expect(t.raft.changes).toEqual(['addNonvoter b']);
    expect(t.raft.member('b')?.voter).toBe(false);
  });

  it('succeeds and changes nothing when repeated', async () => {
    await t.service.add('b', 'b:1', 0, false);
    const before = t.raft.index;
    await t.service.add('b', 'b:1', 0, false);
    expect(t.raft.index).toBe(before);
  });

  it('updates the address of a voter and leaves it the vote, as op-conductor does', async () => {
    t.raft.join('b', true);
    t.identities.set('b:2', { nodeId: 'b', clusterId: CLUSTER, incarnation: 'disk-b' });
    await t.service.add('b', 'b:2', 0, false);
    expect(t.raft.member('b')).toMatchObject({ address: 'b:2', voter: true });
  });
});

describe('a member with another disk', () => {
  const wiped = { nodeId: 'b', clusterId: null, incarnation: 'disk-b2' };
  beforeEach(() => {
    t.raft.join('b', true);
    t.identities.set('b:1', wiped);
  });

  it('leaves as the old member and comes back as a new one, never both with a vote', async () => {
    await t.service.add('b', 'b:1', 0, true);
    expect(t.raft.changes).toEqual(['remove b at 1', 'addNonvoter b at 11', 'addVoter b at 21']);
    expect(t.raft.member('b')).toMatchObject({ incarnation: 'disk-b2', voter: true });
  });

  it('comes back without a vote if requested', async () => {
    await t.service.add('b', 'b:1', 0, false);
    expect(t.raft.changes).toEqual(['remove b at 1', 'addNonvoter b at 11']);
    expect(t.raft.member('b')).toMatchObject({ incarnation: 'disk-b2', voter: false });
  });

  it('is also replaced as a non-voter', async () => {
    t.raft.members = t.raft.members.map((member) =>
      member.id === 'b' ? { ...member, voter: false } : member,
    );
    await t.service.add('b', 'b:1', 0, true);
    expect(t.raft.member('b')).toMatchObject({ incarnation: 'disk-b2', voter: true });
    expect(t.raft.changes.map((change) => change.split(' ')[0])).toEqual([
      'remove',
      'addNonvoter',
      'addVoter',
    ]);
  });

  it('does not change if the version is old', async () => {
    await expect(t.service.add('b', 'b:1', 99, true)).rejects.toThrow(
      'configuration changed since 99 (latest is 1)',
    );
    expect(t.raft.member('b')).toMatchObject({ incarnation: 'disk-b', voter: true });
  });

  it('is not removed if no voter would be left', async () => {
    t.raft.members = t.raft.members.filter((member) => member.id === 'b');
    await expect(t.service.add('b', 'b:1', 0, true)).rejects.toThrow('b is the last voter');
  });
});

describe('nodes that it refuses or accepts', () => {
  it.each<[string, Said | Error, string, string]>([
    [
      'a node that does not answer',
      new Error('connect ECONNREFUSED'),
      'cannot reach b at b:1: connect ECONNREFUSED',
      'unreachable',
    ],
    [
      'another node at that address',
      { nodeId: 'c', clusterId: null, incarnation: 'disk-c' },
      'the node at b:1 is c, not b',
      'wrong-node',
    ],
    [
      'a node of another cluster',
      { nodeId: 'b', clusterId: 'cluster-2', incarnation: 'disk-b' },
      'b at b:1 belongs to another cluster (cluster-2); wipe its storage directory first',
      'wrong-cluster',
    ],
    [
      'a node of a release that is too new',
      { nodeId: 'b', clusterId: null, incarnation: 'disk-b', wireVersion: 99, oldestWireVersion: 98 },
      `b:1: b speaks wire version 98 to 99, this node ${versionsText(WIRE_VERSIONS)}: upgrade the older`,
      'wrong-version',
    ],
  ])('%s', async (_, identity, text, reason) => {
    t.identities.set('b:1', identity);
    for (const voter of [true, false]) {
      const result = t.service.add('b', 'b:1', 0, voter);
      await expect(result).rejects.toMatchObject({ name: 'RpcError', code: -32000, reason });
      await expect(result).rejects.toThrow(text);
    }
    expect(t.raft.changes).toEqual([]);
  });

  it('refuses a node that hangs', async () => {
    t.hangs.add('b:1');
    const result = t.service.add('b', 'b:1', 0, true);
    result.catch(() => undefined);
    await pass(DIAL_MS + 1);
    await expect(result).rejects.toThrow(`cannot reach b at b:1: no answer within ${DIAL_MS} ms`);
    expect(t.raft.changes).toEqual([]);
  });

  it('accepts a node of this cluster that has come back', async () => {
    t.identities.set('b:1', { nodeId: 'b', clusterId: CLUSTER, incarnation: 'disk-b' });
    t.raft.inStep('b');
    await t.service.add('b', 'b:1', 0, true);
    expect(t.raft.member('b')?.voter).toBe(true);
  });

  it('refuses a second node with the same address', async () => {
    t.raft.join('b', true);
    t.identities.set('b:1', { nodeId: 'c', clusterId: null, incarnation: 'disk-c' });
    await expect(t.service.add('c', 'b:1', 0, true)).rejects.toThrow('b:1 is the address of b');
  });
});
