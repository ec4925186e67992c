import { afterEach, describe, expect, it } from '@jest/globals';
import { clusterStatusSchema, conductorStatusSchema } from '../../rpc/server/conductor-status.js';
import { conductorUnderTest, endConductors, fitPeer } from '../testing/conductor-under-test.js';
import { useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

describe('status', () => {
  it('has the published shape at every stage, also without a leader', async () => {
    const t = conductorUnderTest();
    t.raft.leaderId = null;
    const unborn = conductorStatusSchema.parse(t.conductor.status());
    expect(unborn).toMatchObject({
      id: 'a',
      version: 'v1.2.3',
      rpcPort: 8545,
      clusterId: 'c1',
      disk: 'disk-a',
      role: 'follower',
      leader: null,
      leaseRemainingMs: null,
      peers: [],
      head: { number: 10 },
      node: { reachable: false, head: null, lagBlocks: null, sequencerActive: null },
      health: { status: 'unknown', reasons: [], checkedAtMs: null },
      active: true,
    });
    expect(unborn).toMatchObject({
      measured: { roundTripMs: 1.5, syncMs: null, latenessMs: null },
      machine: { clockMs: 1_700_000_000_000, storage: null },
      node: { chainId: 901 },
    });
    expect(unborn).not.toHaveProperty('pausedBy');
    expect(unborn.node.reason).not.toBe('');
  });

  it('describes the cluster, the node and its health', async () => {
    const t = conductorUnderTest();
    await t.up(8);
    t.raft.peers[0] = { ...t.raft.peers[0]!, state: 'probe', matchIndex: 0, lastContactMs: 1234.5 };
    t.raft.peers[1] = { ...t.raft.peers[1]!, eligibility: fitPeer() };
    t.raft.lead();
    t.health('too-few-peers');
    await t.conductor.pause();
    t.conductor.overrideLeader(true);
    const status = conductorStatusSchema.parse(t.conductor.status());
    const { lastIndex } = t.raft.status();
    expect(status).toMatchObject({
      role: 'leader',
      leader: { id: 'a', addr: 'a:50050' },
      membership: {
        version: 42,
        servers: [
          { id: 'a', addr: 'a:50050', suffrage: 0, disk: 'disk-a' },
          {},
          {},
          { id: 'd', suffrage: 1 },
        ],
      },
      peers: [
        {
          id: 'b',
          addr: 'b:50050',
          suffrage: 0,
          state: 'probe',
          lagEntries: lastIndex,
          lastContactMs: 1235,
          fitness: 'unfit',
        },
        { id: 'c', fitness: 'fit' },
        { id: 'd', suffrage: 1 },
      ],
      node: { reachable: true, reason: '', head: { number: 8 }, lagBlocks: 2 },
      health: {
        status: 'unhealthy',
        summary: 'it is too-few-peers',
        reasons: [{ code: 'too-few-peers', severity: 'unhealthy', message: 'it is too-few-peers' }],
      },
      active: false,
      paused: true,
      pausedBy: 'conductor_pause',
      pausedSinceMs: expect.any(Number),
      leaderOverridden: true,
    });
    expect(status.leaseRemainingMs).not.toBeNull();
  });
});

describe('clusterStatus', () => {
  it('has every member, with its status or the reason why there is none', async () => {
    const t = conductorUnderTest();
    const other = { ...t.conductor.status(), id: 'b' };
    t.memberStatus.set('b:50050', { nodeId: 'b', status: other });
    t.memberStatus.set('c:50050', { nodeId: 'x', status: { ...other, id: 'x' } });
    t.memberStatus.set('d:50050', { nodeId: 'd' });
    const { answeredBy, members, verdict } = clusterStatusSchema.parse(await t.conductor.clusterStatus());
    expect(answeredBy).toBe('a');
    expect(members.map(({ id, suffrage, status, error }) => [id, suffrage, status?.id, error])).toEqual([
      ['a', 0, 'a', ''],
      ['b', 0, 'b', ''],
      ['c', 0, undefined, 'the node at c:50050 is x'],
      ['d', 1, undefined, 'the node at d:50050 runs a version whose status cannot be read'],
    ]);
    expect(verdict).toMatchObject({ level: 'critical', voters: 3, votersKeepingUp: 2 });
    expect(verdict!.problems.map(({ code, member }) => [code, member])).toContainEqual(['no-answer', 'c']);
    expect(await t.conductor.clusterVerdict()).toEqual(verdict);
    t.memberStatus.clear();
    const alone = await t.conductor.clusterStatus();
    expect(alone.members[1]).toMatchObject({ id: 'b', status: null, error: 'b:50050 is not there' });
  });
});
