import { afterEach, describe, expect, it } from '@jest/globals';
import { encodeEligibility, Fitness, LAG_OF_OTHER_BRANCH } from './eligibility.js';
import { chainOf, hashOf, refOf } from '../testing/chain.js';
import { conductorUnderTest, endConductors, fitPeer, poll } from '../testing/conductor-under-test.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

/** Block `number` of branch b, the first one after branch a. */
const sibling = (number: number) => refOf(number, 'b', hashOf(number - 1));
const committedUpTo = (from: number, to: number) => chainOf(from, to).map(({ number }) => refOf(number));

describe('a sequencer off the committed chain', () => {
  it('an active sequencer of a leader is brought to the committed head', async () => {
    const t = conductorUnderTest();
    t.node.faults.set('stopSequencer', new Error('op-node is stuck'));
    await t.up();
    t.node.active = true;
    for (const ref of committedUpTo(11, 13)) t.raft.commit(ref);
    t.raft.lead();
    await pass(2000);
    expect(t.node.starts).toEqual([hashOf(13)]);
    expect({ active: t.node.active, head: t.node.head }).toEqual({ active: true, head: refOf(13) });
  });

  it('on another branch is noticed at the first poll of a leadership', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.raft.commit(refOf(11));
    t.node.gossip(sibling(11));
    // It became active at the moment when its node was elected.
    t.raft.lead(false);
    t.node.active = true;
    t.localNode.noteSequencer(true);
    t.raft.complete();
    await pass(0);
    expect(t.node).toMatchObject({ active: true, starts: [] });
    await pass(300);
    expect(t.node.starts).toEqual([hashOf(11)]);
    expect(t.node.head).toEqual(refOf(11));
  });

  it('whose client comes back behind while op-node goes on is started again on the head', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.node.rewind(6);
    await pass(1000);
    expect(t.node.starts).toEqual([hashOf(10), hashOf(10)]);
    expect({ active: t.node.active, head: t.node.head }).toEqual({ active: true, head: refOf(10) });
  });

  it('hears at its stop that this node does not lead, else op-node waits for a block that never comes', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    const { stopSequencer } = t.node.opNode;
    const told: boolean[] = [];
    t.node.opNode.stopSequencer = (options) => {
      told.push(t.conductor.leader());
      return stopSequencer(options);
    };
    t.node.rewind(6);
    await pass(1000);
    expect(told).toEqual([false]);
    expect(t.node.starts).toHaveLength(2);
    expect(t.conductor.leader()).toBe(true);
  });

  it('that could not be stopped hears of a leader again until the next attempt', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.node.opNode.stopSequencer = async () => {
      throw new Error('op-node is stuck');
    };
    t.node.rewind(6);
    await pass(2000);
    expect({ active: t.node.active, leader: t.conductor.leader() }).toEqual({ active: true, leader: true });
  });

  it('that leaves the committed head again and again lets another node try', async () => {
    const t = conductorUnderTest();
    t.raft.peer('b').eligibility = fitPeer();
    await t.sequencing();
    for (let times = 0; times < 3; times++) {
      expect(t.outcome).toEqual({ active: true, transfers: [] });
      t.node.rewind(6);
      await pass(1000);
    }
    expect(t.raft.transfers).toEqual(['b']);
  });

  it('is started again at once when its commit was refused', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    for (const ref of committedUpTo(11, 13)) t.raft.commit(ref);
    await t.controller.contradicted(sibling(11));
    await pass(0);
    expect(t.node.active).toBe(false);
    await pass(100);
    expect(t.node.starts).toEqual([hashOf(10), hashOf(13)]);
    await pass(5000);
    expect(t.node.starts).toHaveLength(2);
  });

  it('goes on when a refused commit is not its own', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    await t.controller.contradicted(refOf(1_000_001));
    await t.controller.contradicted(refOf(10, 'b'));
    await pass(1000);
    expect(t.node).toMatchObject({ active: true, starts: [hashOf(10)] });
  });

  it('leaves leadership to a node on the chain when its client is on another branch', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer();
    t.node.rewind(8, sibling(9));
    await pass(600);
    expect(t.outcome).toEqual({ active: false, transfers: ['b'] });
  });

  it('in good order is left alone, block after block, despite slow imports and gossip ahead of the log', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    for (const ref of committedUpTo(11, 20)) {
      t.raft.commit(ref);
      await pass(900);
      t.node.gossip(ref);
      await pass(100);
    }
    t.node.gossip(refOf(21));
    await poll();
    t.raft.commit(refOf(21));
    await pass(1000);
    expect(t.node).toMatchObject({ active: true, starts: [hashOf(10)] });
  });
});

describe('a standby on another branch', () => {
  it('says so, comes last as a successor, and is not fed', async () => {
    const t = conductorUnderTest();
    await t.up(9);
    t.node.gossip(sibling(10));
    for (const ref of committedUpTo(11, 15)) t.raft.commit(ref);
    await pass(3000);
    expect(t.node.posted).toEqual([]);
    expect(t.raft.eligibility).toBe(encodeEligibility(Fitness.impaired, LAG_OF_OTHER_BRANCH));
    expect(t.raft.eligibility).toBeGreaterThan(0);
    const { node, health } = t.conductor.status();
    expect(node.branch).toBe('other');
    expect(health).toMatchObject({
      status: 'unhealthy',
      summary: `the execution client is on another branch: block 10 is ${hashOf(10, 'b')}, committed is ${hashOf(10)}`,
      reasons: [{ check: 'node-poll', code: 'other-branch' }],
    });
    expect(t.conductor.sequencerHealthy()).toBe(false);
  });

  it('that derives its way back is again as fit as before', async () => {
    const t = conductorUnderTest();
    await t.up(9);
    t.node.gossip(sibling(10));
    await pass(1000);
    t.node.rewind(9, refOf(10));
    await poll();
    expect(t.raft.eligibility).toBe(fitPeer());
    expect(t.conductor.status().node.branch).toBe('on');
  });

  it('that has just left by itself is not fed back', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.node.rewind(7);
    await pass(5000);
    expect(t.conductor.status().node.leftAt).toEqual({ number: 7, hash: hashOf(7) });
    expect(t.node.posted).toEqual([]);
    await pass(27_000);
    expect(t.node.postedNumbers).not.toEqual([]);
  });
});
