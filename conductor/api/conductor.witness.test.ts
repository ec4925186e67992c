import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { conductorStatusSchema } from '../../rpc/server/conductor-status.js';
import { witnessStatus } from '../commands/testing/fake-cluster.js';
import { payloadOf, refOf } from '../testing/chain.js';
import {
  conductorUnderTest,
  endConductors,
  fitPeer,
  type ConductorUnderTest,
} from '../testing/conductor-under-test.js';
import { useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

describe('a witness', () => {
  let t: ConductorUnderTest;

  beforeEach(() => {
    t = conductorUnderTest({ witness: true });
    t.localNode.start();
  });

  it('says that it is a witness and healthy', () => {
    const status = conductorStatusSchema.parse(t.conductor.status());
    expect(status).toMatchObject({
      witness: true,
      node: { reachable: false, reason: 'a witness has no node', head: null, sequencerActive: null },
      health: {
        status: 'healthy',
        summary: 'a witness has no node to check',
        reasons: [],
        checkedAtMs: null,
      },
    });
    const { witness: _witness, ...older } = status;
    expect(conductorStatusSchema.parse(older).witness).toBe(false);
  });

  it.each([true, false])('accepts no block, leader or not (%s)', async (leads) => {
    if (leads) t.raft.lead();
    await expect(t.conductor.commitUnsafePayload(payloadOf(refOf(11)))).rejects.toMatchObject({
      message: expect.stringContaining(
        'this member is a witness and has no sequencer: blocks are committed by',
      ),
      reason: 'witness',
    });
    expect(t.raft.proposals).toEqual([]);
  });

  it('cannot lead by override', () => {
    expect(() => t.conductor.overrideLeader(true)).toThrow('it cannot lead by decree');
    expect(t.conductor.leaderOverridden()).toBe(false);
    t.conductor.overrideLeader(false);
  });
});

describe('a leader with a witness among its members', () => {
  let t: ConductorUnderTest;

  beforeEach(() => {
    t = conductorUnderTest();
    t.memberStatus.set('b:50050', { nodeId: 'b', status: witnessStatus('b') });
    t.raft.lead();
  });

  it('does not hand leadership to it, and names the possible successors', async () => {
    const transfer = (): Promise<void> => t.conductor.transferLeaderToServer('b', 'b:50050');
    await expect(transfer()).rejects.toMatchObject({
      message: expect.stringMatching(/^b is a witness: .*; no other member could sequence now$/),
      reason: 'witness',
    });
    t.raft.peer('c').eligibility = fitPeer();
    await expect(transfer()).rejects.toThrow('would hand leadership back; transfer it to c');
    expect(t.raft.transfers).toEqual([]);
  });

  it('when it chooses, prefers any member with a node, even an unhealthy one', async () => {
    await t.conductor.transferLeader();
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('refuses if no other member answers', async () => {
    t.raft.peer('c').lastContactMs = 60_000;
    await expect(t.conductor.transferLeader()).rejects.toMatchObject({
      message: expect.stringContaining('only a witness answers'),
      reason: 'witness',
    });
    expect(t.raft.transfers).toEqual([]);
  });

  it('does not ask members known to be able to sequence, and takes silence for no witness', async () => {
    await t.conductor.transferLeaderToServer('c', '');
    t.raft.lead(false);
    t.raft.peer('b').eligibility = fitPeer();
    await t.conductor.transferLeaderToServer('b', '');
    expect(t.raft.transfers).toEqual(['c', 'b']);
  });
});
