import { afterEach, describe, expect, it } from '@jest/globals';
import { encodeEligibility, Fitness } from './eligibility.js';
import { chainOf, hashOf, refOf } from '../testing/chain.js';
import {
  conductorUnderTest,
  endConductors,
  fitPeer,
  poll,
  POLL_MS,
} from '../testing/conductor-under-test.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

describe('the way to sequencing', () => {
  it('a new leader starts its sequencer on the committed head, once leadership is complete', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.raft.lead(false);
    await poll();
    expect(t.node.starts).toEqual([]);
    t.raft.complete();
    await pass(0);
    expect(t.node.starts).toEqual([hashOf(10)]);
    await pass(2000);
    expect(t.node.starts).toHaveLength(1);
  });

  it('waits for the first health check', async () => {
    const t = conductorUnderTest();
    t.localNode.start();
    t.raft.lead();
    await poll();
    expect(t.node.starts).toEqual([]);
    t.health('ok');
    await poll();
    expect(t.node.active).toBe(true);
  });

  it('FailureAndRetry3 and 4 of op-conductor: a stalled chain, and the node is a block behind: post, start, catch up', async () => {
    const t = conductorUnderTest();
    await t.up(9);
    t.health('unsafe-head-old');
    for (const id of ['b', 'c']) t.raft.peer(id).eligibility = encodeEligibility(Fitness.stale, 0);
    t.raft.lead();
    await poll();
    expect(t.node.postedNumbers).toEqual([10]);
    expect(t.node.starts).toEqual([hashOf(10)]);
    t.health('unsafe-head-old');
    await pass(5000);
    expect(t.outcome).toEqual({ active: true, transfers: [] });
  });

  it('Scenario2 and 5 of op-conductor: the health of a follower changes nothing', async () => {
    const t = conductorUnderTest();
    await t.up();
    for (const code of ['too-few-peers', 'ok', 'unsafe-head-old', 'node-unreachable', 'ok'] as const) {
      t.health(code);
      await poll();
    }
    expect({ starts: t.node.starts, transfers: t.raft.transfers, active: t.node.active }).toEqual({
      starts: [],
      transfers: [],
      active: false,
    });
  });

  it('Scenario6 of op-conductor: leadership is lost: stop', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.follow('c');
    await pass(0);
    expect(t.node.active).toBe(false);
  });

  it('Scenario7 of op-conductor: the leader turns unhealthy: stop, then transfer to the fittest', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = encodeEligibility(Fitness.stale, 0);
    t.raft.peer('c').eligibility = fitPeer(3);
    t.health('too-few-peers');
    await pass(0);
    expect(t.node.active).toBe(false);
    expect(t.raft.transfers).toEqual(['c']);
    await pass(2000);
    expect(t.raft.transfers).toEqual(['c']);
  });

  it.each(['rollup-boost-unhealthy', 'rollup-boost-unreachable'] as const)(
    'RollupBoostHealthFailure and RollupBoostConnectionDown of op-conductor (%s): stop and transfer',
    async (code) => {
      const t = conductorUnderTest();
      await t.sequencing();
      t.raft.peer('b').eligibility = fitPeer();
      t.health(code, { check: 'rollup-boost', failures: 1 });
      await pass(0);
      t.health(code, { check: 'rollup-boost', failures: 2 });
      await pass(10);
      expect(t.outcome).toEqual({
        active: false,
        transfers: ['b'],
      });
    },
  );

  it('RollupBoostPartialFailure of op-conductor: no waiting for it to become healthy by itself', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.health('unsafe-head-old');
    t.raft.lead();
    await poll();
    expect(t.node.active).toBe(true);
    t.raft.peer('b').eligibility = fitPeer();
    t.health('rollup-boost-partial');
    await pass(10);
    expect(t.outcome).toEqual({
      active: false,
      transfers: ['b'],
    });
  });

  it('a partial rollup-boost that is tolerated, or not better elsewhere, moves nothing', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer();
    t.health('rollup-boost-partial', { severity: 'degraded' });
    await pass(1000);
    t.raft.peer('b').eligibility = encodeEligibility(Fitness.partial, 0);
    t.health('rollup-boost-partial');
    await pass(1000);
    expect(t.outcome).toEqual({ active: true, transfers: [] });
  });

  it('ConductorRestart of op-conductor: a follower whose sequencer runs stops it', async () => {
    const t = conductorUnderTest();
    t.node.active = true;
    await t.up();
    await poll();
    expect(t.node.active).toBe(false);
  });

  it('FailureAndRetry1 of op-conductor: transfers are tried again until one works', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer();
    t.raft.transferOutcomes.push(
      { outcome: 'rejected', reason: 'transfer-timeout' },
      { outcome: 'unknown', reason: 'leadership transfer timeout' },
    );
    t.node.faults.set('stopSequencer', new Error('refused'));
    t.health('too-few-peers');
    await pass(5000);
    // Between two attempts the sequencer continues.
    expect(t.outcome).toEqual({ active: true, transfers: ['b'] });
    await pass(20_000);
    expect(t.outcome).toEqual({ active: false, transfers: ['b', 'b', 'b'] });
  });

  it('a sequencer continues while its conductor belongs to no cluster, and stops when that joins one', async () => {
    const t = conductorUnderTest();
    t.raft.identity = { ...t.raft.identity, clusterId: null };
    await t.up();
    t.node.active = true;
    await pass(5000);
    expect(t.node.active).toBe(true);
    t.raft.identity = { ...t.raft.identity, clusterId: 'c1' };
    await poll();
    expect(t.node.active).toBe(false);
  });

  it('FailureAndRetry2 of op-conductor: the stop fails, the transfer works: stops as a follower', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer();
    t.node.faults.set('stopSequencer', new Error('refused'));
    t.health('too-few-peers');
    await pass(500);
    expect(t.raft.transfers).toEqual(['b']);
    expect(t.node.active).toBe(false);
  });

  it('an operator restarted op-node: its sequencer is started again', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.node.active = false;
    await pass(2 * POLL_MS);
    expect(t.node.active).toBe(true);
  });

  it('a hung op-node loses leadership, and nobody waits for its answer', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('c').eligibility = fitPeer();
    t.node.faults.set('sequencerActive', 'hang');
    t.node.faults.set('stopSequencer', 'hang');
    await pass(2 * (POLL_MS + 1000) + 10);
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('a stale leader that has just started gets only a limited time to catch up', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.health('unsafe-head-old');
    await pass(5000);
    t.raft.peer('b').eligibility = encodeEligibility(Fitness.stale, 0);
    t.raft.lead();
    await pass(0);
    expect(t.node.active).toBe(true);
    t.raft.peer('b').eligibility = fitPeer();
    await pass(2900);
    expect(t.outcome).toEqual({ active: true, transfers: [] });
    await pass(POLL_MS);
    expect(t.outcome).toEqual({
      active: false,
      transfers: ['b'],
    });
  });

  it('a new leadership does not wait because of failures of the previous one', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.node.opNode.startSequencer = async (head) => {
      t.node.starts.push(head);
      throw new Error('refused');
    };
    t.raft.lead();
    await pass(1600);
    const before = t.node.starts.length;
    t.raft.follow('b');
    t.raft.lead();
    await pass(0);
    expect(t.node.starts).toHaveLength(before + 1);
  });

  it('a transfer that is no longer wanted is dropped', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer();
    t.node.faults.set('stopSequencer', 'hang');
    t.health('too-few-peers');
    await pass(100);
    t.health('ok');
    await pass(1000);
    expect(t.raft.transfers).toEqual([]);
  });

  it('a history that is too short gives leadership to a node closer to the head', async () => {
    const t = conductorUnderTest();
    t.chain.dropUpTo(4);
    await t.up(7);
    t.raft.peer('b').eligibility = fitPeer(9);
    t.raft.peer('c').eligibility = fitPeer(1);
    t.raft.lead();
    await pass(3000 - POLL_MS);
    expect(t.raft.transfers).toEqual([]);
    await pass(2 * POLL_MS);
    expect(t.raft.transfers).toEqual(['c']);
    expect(t.node.starts).toEqual([]);
  });

  it('a leader that is being fed hundreds of blocks gives way to a node that already has them', async () => {
    const t = conductorUnderTest();
    for (const { number } of chainOf(11, 300)) t.chain.apply(chainOf(number, number)[0]!, undefined);
    t.node.importMs = 50;
    await t.up(10);
    for (const id of ['b', 'c']) t.raft.peer(id).eligibility = fitPeer(280);
    t.raft.lead();
    await pass(500);
    expect(t.raft.transfers).toEqual([]);
    expect(t.node.postedNumbers.length).toBeGreaterThan(0);
    t.raft.peer('c').eligibility = fitPeer(0);
    await pass(2 * POLL_MS);
    expect(t.raft.transfers).toEqual(['c']);
    expect(t.node.starts).toEqual([]);
  });

  it('a history that is too short everywhere: keeps trying', async () => {
    const t = conductorUnderTest();
    t.chain.dropUpTo(4);
    await t.up(7);
    t.raft.peer('b').eligibility = fitPeer(5);
    t.raft.lead();
    await pass(7000);
    expect(t.raft.transfers).toEqual([]);
    t.node.gossip(...chainOf(8, 10).map(({ number }) => refOf(number)));
    await pass(1000);
    expect(t.node.active).toBe(true);
  });

  it('feeds a standby only when it lacks blocks', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.raft.commit(refOf(11));
    t.node.gossip(refOf(11));
    await pass(2000);
    expect(t.node.posted).toEqual([]);
    for (const { number } of chainOf(12, 14)) t.raft.commit(refOf(number));
    await pass(700);
    expect(t.node.posted).toEqual([]);
    await pass(400);
    expect(t.node.postedNumbers).toEqual([12, 13]);
    await pass(2000);
    expect(t.node.posted).toHaveLength(2);
  });
});
