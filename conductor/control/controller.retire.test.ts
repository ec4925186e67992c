import { afterEach, describe, expect, it } from '@jest/globals';
import { payloadOf, refOf } from '../testing/chain.js';
import { conductorUnderTest, endConductors, fitPeer, poll } from '../testing/conductor-under-test.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

describe('the end', () => {
  it('stops the sequencer while it still leads, then transfers leadership to the fittest', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('c').eligibility = fitPeer();
    let ledAtStop: boolean | undefined;
    let committedAtStop = false;
    const { stopSequencer } = t.node.opNode;
    t.node.opNode.stopSequencer = async (options) => {
      ledAtStop = t.conductor.leader();
      // op-node ends its last block, which must still be committed.
      await t.conductor.commitUnsafePayload(payloadOf(refOf(11)));
      committedAtStop = t.chain.head?.number === 11;
      return stopSequencer(options);
    };
    await t.controller.retire();
    expect({ ledAtStop, committedAtStop, active: t.node.active }).toEqual({
      ledAtStop: true,
      committedAtStop: true,
      active: false,
    });
    expect(t.raft.transfers).toEqual(['c']);
    expect(t.raft.eligibility).toBe(0);
  });

  it('transfers leadership even if op-node hangs', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer();
    t.node.faults.set('stopSequencer', 'hang');
    const retired = t.controller.retire();
    await pass(2000);
    await retired;
    expect(t.raft.transfers).toEqual(['b']);
  });

  it('leaves a paused sequencer alone', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    await t.conductor.pause();
    await t.controller.retire();
    expect(t.node.active).toBe(true);
  });

  it('leaves the sequencer of a node that belongs to no cluster alone', async () => {
    const t = conductorUnderTest();
    t.raft.identity = { ...t.raft.identity, clusterId: null };
    await t.up();
    t.node.active = true;
    await poll();
    await t.controller.retire();
    expect(t.node.active).toBe(true);
  });

  it('has no leadership to transfer as a follower', async () => {
    const t = conductorUnderTest();
    await t.up();
    await t.controller.retire();
    expect(t.raft.transfers).toEqual([]);
  });

  it('no longer decides anything', async () => {
    const t = conductorUnderTest();
    await t.up();
    await t.controller.retire();
    t.raft.lead();
    await pass(2000);
    expect(t.node.starts).toEqual([]);
  });

  it('ends an action under way', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.node.faults.set('startSequencer', 'hang');
    t.raft.lead();
    await pass(0);
    await t.controller.retire();
    await pass(5000);
    expect(t.node.starts).toHaveLength(1);
    expect(t.raft.transfers).toHaveLength(1);
  });
});
