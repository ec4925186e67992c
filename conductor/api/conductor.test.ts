import { afterEach, describe, expect, it } from '@jest/globals';
import { payloadOf, refOf } from '../testing/chain.js';
import { conductorUnderTest, endConductors, poll, POLL_MS } from '../testing/conductor-under-test.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

describe('leader override', () => {
  it('answers as the leader without being one, and touches neither Raft nor the sequencer', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.conductor.overrideLeader(true);
    expect(t.conductor.leader()).toBe(true);
    expect(t.conductor.leaderOverridden()).toBe(true);
    expect(t.conductor.leaderWithId()).toEqual({ id: 'N/A (Leader overridden)', addr: 'N/A', suffrage: 0 });
    await poll();
    expect({ starts: t.node.starts, transfers: t.raft.transfers }).toEqual({ starts: [], transfers: [] });

    t.conductor.overrideLeader(false);
    expect(t.conductor.leader()).toBe(false);
    expect(t.conductor.leaderWithId()).toEqual({ id: 'b', addr: 'b:50050', suffrage: 0 });
  });

  it('does not affect commits', async () => {
    const t = conductorUnderTest();
    t.conductor.overrideLeader(true);
    await expect(t.conductor.commitUnsafePayload(payloadOf(refOf(11)))).rejects.toThrow(
      'failed to apply payload envelope: node is not the leader',
    );
  });
});

describe('what it says about the cluster', () => {
  it('the leader is the current leader in Raft', () => {
    const t = conductorUnderTest();
    expect(t.conductor.leader()).toBe(false);
    t.raft.lead(false);
    expect(t.conductor.leader()).toBe(true);
    expect(t.conductor.leaderWithId()).toEqual({ id: 'a', addr: 'a:50050', suffrage: 0 });
  });

  it('an unknown leader is empty', () => {
    const t = conductorUnderTest();
    t.raft.follow(null);
    expect(t.conductor.leaderWithId()).toEqual({ id: '', addr: '', suffrage: 0 });
  });

  it('a leader that is no longer a member has no address', () => {
    const t = conductorUnderTest();
    t.raft.follow('x');
    expect(t.conductor.leaderWithId()).toEqual({ id: 'x', addr: '', suffrage: 0 });
  });

  it('members have a numeric suffrage, and the version is the index of the configuration', () => {
    const t = conductorUnderTest();
    expect(t.conductor.clusterMembership()).toEqual({
      servers: [
        { id: 'a', addr: 'a:50050', suffrage: 0 },
        { id: 'b', addr: 'b:50050', suffrage: 0 },
        { id: 'c', addr: 'c:50050', suffrage: 0 },
        { id: 'd', addr: 'd:50050', suffrage: 1 },
      ],
      version: 42,
    });
  });

  it('no members are null, not an empty list', () => {
    const t = conductorUnderTest();
    t.raft.members = [];
    t.raft.version = 0;
    expect(t.conductor.clusterMembership()).toEqual({ servers: null, version: 0 });
  });

  it('passes on changes of the membership', async () => {
    const t = conductorUnderTest();
    const by = { address: 'x:4711', token: 'alice' };
    await t.conductor.addServerAsVoter('x', 'x:1', 7, by);
    await t.conductor.addServerAsNonvoter('x', 'x:1', 0, by);
    await t.conductor.demoteVoter('x', 1, false, by);
    await t.conductor.removeServer('x', 2, true, by);
    await t.conductor.replaceServer('x', 'y', 'y:1', 3, by);
    expect(t.membershipCalls).toEqual([
      ['add', 'x', 'x:1', 7, true, { by }],
      ['add', 'x', 'x:1', 0, false, { by }],
      ['demote', 'x', 1, { force: false, by }],
      ['remove', 'x', 2, { force: true, by }],
      ['replace', 'x', { id: 'y', address: 'y:1' }, 3, { by }],
    ]);
  });
});

describe('sequencerHealthy', () => {
  it('is true before the first check', () => {
    const t = conductorUnderTest();
    expect(t.conductor.sequencerHealthy()).toBe(true);
  });

  it('is the result of the last check', async () => {
    const t = conductorUnderTest();
    await t.up();
    expect(t.conductor.sequencerHealthy()).toBe(true);
    t.health('too-few-peers');
    expect(t.conductor.sequencerHealthy()).toBe(false);
  });

  it('is false as soon as the node does not answer, even before the next check', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.node.faults.set('latestBlock', 'hang');
    await pass(2 * (POLL_MS + 1000));
    expect(t.conductor.sequencerHealthy()).toBe(false);
  });

  it('is the result of the checks until the node was polled, then of both', async () => {
    const t = conductorUnderTest();
    expect(t.conductor.sequencerHealthy()).toBe(true);
    t.health('ok');
    expect(t.conductor.sequencerHealthy()).toBe(true);
    t.health('too-few-peers');
    expect(t.conductor.sequencerHealthy()).toBe(false);
    t.health('ok');
    t.localNode.noteUnreachable('connection refused');
    expect(t.conductor.sequencerHealthy()).toBe(false);
    await t.up();
    expect(t.conductor.sequencerHealthy()).toBe(true);
  });
});

describe('latestUnsafePayload', () => {
  it('is the committed head, whatever the role of this node', async () => {
    const t = conductorUnderTest();
    expect(await t.conductor.latestUnsafePayload()).toEqual(payloadOf(refOf(10)).ssz);
    t.chain.startFrom(undefined);
    expect(await t.conductor.latestUnsafePayload()).toBeNull();
  });
});

describe('stop', () => {
  it('conductor_stop answers before anything ends', async () => {
    const t = conductorUnderTest();
    let requested = 0;
    t.conductor.on('stopRequested', () => (requested += 1));
    await t.conductor.stop();
    expect(requested).toBe(0);
    await pass(1);
    expect(requested).toBe(1);
  });
});
