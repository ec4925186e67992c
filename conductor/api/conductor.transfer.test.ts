import { afterEach, describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../raft/index.js';
import { conductorUnderTest, endConductors } from '../testing/conductor-under-test.js';
import { useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

describe('transferLeader', () => {
  it('on a follower is an error', async () => {
    const t = conductorUnderTest();
    await expect(t.conductor.transferLeader()).rejects.toMatchObject({
      message: 'node is not the leader',
      reason: 'not-leader',
    });
  });

  it.each<[Outcome<object>, string]>([
    [{ outcome: 'rejected', reason: 'transfer-in-progress' }, 'leadership transfer in progress'],
    [{ outcome: 'rejected', reason: 'no-such-member', detail: 'cannot find peer' }, 'cannot find peer'],
    [
      { outcome: 'rejected', reason: 'already-leader', detail: 'whatever' },
      'cannot transfer leadership to itself',
    ],
    [
      { outcome: 'rejected', reason: 'transfer-timeout', detail: 'b did not catch up in time' },
      'b did not catch up in time',
    ],
    [{ outcome: 'unknown', reason: 'leadership transfer timeout' }, 'leadership transfer timeout'],
  ])('%j has its own error', async (outcome, text) => {
    const t = conductorUnderTest();
    t.raft.lead();
    t.raft.transferOutcomes.push(outcome);
    await expect(t.conductor.transferLeader()).rejects.toMatchObject({ message: text, code: -32000 });
  });

  it('succeeds if leadership has left in the end, whatever was reported (issue #22924)', async () => {
    const t = conductorUnderTest();
    t.raft.lead();
    const transfer = t.raft.transferLeadership.bind(t.raft);
    t.raft.transferLeadership = async (to) => {
      await transfer(to);
      return { outcome: 'unknown', reason: 'leadership transfer timeout' };
    };
    await t.conductor.transferLeader();
    expect(t.conductor.leader()).toBe(false);
  });
});

describe('transferLeaderToServer', () => {
  it('transfers leadership to that member; the address may be left out', async () => {
    const t = conductorUnderTest();
    t.raft.lead();
    await t.conductor.transferLeaderToServer('c', 'c:50050');
    t.raft.lead();
    await t.conductor.transferLeaderToServer('b', '');
    expect(t.raft.transfers).toEqual(['c', 'b']);
  });

  it('on a follower is an error with the text of op-conductor', async () => {
    const t = conductorUnderTest();
    t.raft.lead();
    t.raft.follow('b');
    await expect(t.conductor.transferLeaderToServer('c', 'c:50050')).rejects.toMatchObject({
      message: 'node is not the leader',
      reason: 'not-leader',
    });
    expect(t.raft.transfers).toEqual([]);
  });

  it('names a server that is not a member', async () => {
    const t = conductorUnderTest();
    t.raft.lead();
    await expect(t.conductor.transferLeaderToServer('x', 'x:1')).rejects.toMatchObject({
      message: 'cannot find replication state for x: it is not a member',
      reason: 'no-such-member',
    });
  });

  it('refuses an address that is not that of the member', async () => {
    const t = conductorUnderTest();
    t.raft.lead();
    await expect(t.conductor.transferLeaderToServer('c', 'b:50050')).rejects.toThrow(
      'the address of c is c:50050, not b:50050',
    );
    expect(t.raft.transfers).toEqual([]);
  });
});

describe('silent transfers', () => {
  it('succeed on a node that does not lead, and do nothing', async () => {
    const t = conductorUnderTest({ silentTransfer: true });
    await t.up();
    await t.conductor.transferLeader();
    expect(t.raft.transfers).toEqual([]);
    await expect(t.conductor.transferLeaderToServer('c', 'c:50050')).rejects.toThrow(
      'node is not the leader',
    );
  });
});
