import { afterEach, describe, expect, it } from '@jest/globals';
import { encodeEligibility, Fitness } from './eligibility.js';
import { refOf } from '../testing/chain.js';
import {
  conductorUnderTest,
  endConductors,
  fitPeer,
  type ConductorUnderTest,
} from '../testing/conductor-under-test.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

describe('one bad health check', () => {
  it('does not move leadership away, but keeps it from moving here', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer();
    t.health('too-few-peers', { failures: 1 });
    await pass(900);
    expect(t.outcome).toEqual({ active: true, transfers: [] });
    expect(t.raft.eligibility).toBe(encodeEligibility(Fitness.impaired, 0));
    t.health('too-few-peers', { failures: 2 });
    await pass(10);
    expect(t.outcome).toEqual({
      active: false,
      transfers: ['b'],
    });
  });
});

describe('an op-node that sequences', () => {
  it('and dies is left at once', async () => {
    const t = conductorUnderTest();
    t.raft.peer('b').eligibility = fitPeer();
    await t.sequencing();
    t.node.die();
    await pass(1);
    expect(t.raft.transfers).toEqual(['b']);
  });

  it('and hangs is left when its block is overdue', async () => {
    const t = conductorUnderTest();
    t.raft.peer('b').eligibility = fitPeer();
    await t.sequencing();
    t.raft.commit(refOf(11));
    t.node.faults.set('sequencerActive', 'hang');
    // Blocks are two seconds apart.
    await pass(2250);
    expect(t.raft.transfers).toEqual([]);
    await pass(200);
    expect(t.raft.transfers).toEqual(['b']);
  });
});

describe('a sequencer whose blocks are refused repeatedly', () => {
  const refuse = (t: ConductorUnderTest, ...reasons: string[]): void => {
    for (const reason of reasons) t.localNode.commits.refused(reason, performance.now());
  };

  it('is left to a fit node, and not forever', async () => {
    const t = conductorUnderTest();
    t.raft.peer('b').eligibility = fitPeer();
    await t.sequencing();
    refuse(t, 'one', 'two', 'unknown field "blobSchedule"');
    await pass(4500);
    expect(t.outcome).toEqual({ active: true, transfers: [] });
    await pass(1000);
    expect(t.outcome).toEqual({ active: false, transfers: ['b'] });
    await pass(1000);
    expect(t.raft.eligibility).toBe(fitPeer());
  });

  it('says why when there is no other node', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    refuse(t, 'one', 'two', 'three');
    await pass(5300);
    expect(t.conductor.status().health).toMatchObject({
      status: 'unhealthy',
      reasons: [{ code: 'commits-refused', message: 'the blocks of the sequencer are refused: three' }],
    });
    expect(t.node.active).toBe(true);
  });

  it('is not affected when a stranger has commits refused between two of its blocks', async () => {
    const t = conductorUnderTest();
    t.raft.peer('b').eligibility = fitPeer();
    await t.sequencing();
    for (let second = 0; second < 30; second++) {
      refuse(t, 'one', 'two', 'three', 'four');
      await pass(900);
      t.localNode.commits.forget();
      t.raft.commit(refOf(11 + second));
      t.node.gossip(refOf(11 + second));
      await pass(100);
    }
    expect(t.outcome).toEqual({ active: true, transfers: [] });
  });
});

describe('its report to the leader', () => {
  it('is its fitness and its distance to the committed head, or nothing while it must not act', async () => {
    const t = conductorUnderTest();
    expect(t.raft.eligibility).toBe(0);
    await t.up(8);
    expect(t.raft.eligibility).toBe(encodeEligibility(Fitness.fit, 2));
    t.health('unsafe-head-old');
    expect(t.raft.eligibility).toBe(encodeEligibility(Fitness.stale, 2));
    await t.conductor.pause();
    expect(t.raft.eligibility).toBe(0);
  });
});

describe('its events for metrics', () => {
  it('are every change of state, start, stop, transfer and turn', async () => {
    const t = conductorUnderTest();
    const told: object[] = [];
    t.controller.on('stateChanged', (state) => told.push(state));
    t.controller.on('sequencerStarted', (wasStopped) => told.push({ started: { wasStopped } }));
    t.controller.on('sequencerStopped', (wasRunning) => told.push({ stopped: { wasRunning } }));
    t.controller.on('transferred', (success) => told.push({ transferred: { success } }));
    let turns = 0;
    t.controller.on('turn', () => turns++);
    await t.sequencing();
    for (const id of ['b', 'c']) t.raft.peer(id).eligibility = fitPeer();
    t.raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    t.health('too-few-peers');
    await pass(1000);
    expect(told).toEqual([
      { leader: true, healthy: true, active: false },
      { started: { wasStopped: true } },
      { leader: true, healthy: true, active: true },
      { leader: true, healthy: false, active: true },
      { stopped: { wasRunning: true } },
      { transferred: { success: false } },
      { leader: false, healthy: false, active: false },
      { transferred: { success: true } },
    ]);
    expect(turns).toBeGreaterThan(5);
  });
});
