import { afterEach, describe, expect, it } from '@jest/globals';
import { encodeEligibility, Fitness } from './eligibility.js';
import {
  conductorUnderTest,
  endConductors,
  fitPeer,
  poll,
  type ConductorUnderTest,
} from '../testing/conductor-under-test.js';
import { refOf } from '../testing/chain.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

describe('round-robin transfers (op-conductor #18697)', () => {
  const sick = async (t: ConductorUnderTest): Promise<void> => {
    await t.sequencing();
    t.health('too-few-peers');
    await pass(3000);
  };

  it('RoundRobin: next in sorted order, not the best one', async () => {
    const t = conductorUnderTest({ roundRobin: true });
    t.raft.peer('b').eligibility = fitPeer(50);
    t.raft.peer('c').eligibility = fitPeer();
    await sick(t);
    expect(t.raft.transfers).toEqual(['b']);
  });

  it('RoundRobin: goes past nodes that are no better than this one', async () => {
    const t = conductorUnderTest({ roundRobin: true });
    t.raft.peer('b').eligibility = encodeEligibility(Fitness.impaired, 0);
    t.raft.peer('c').eligibility = fitPeer(50);
    await sick(t);
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('RoundRobin: skips failing targets, and comes back to them after a while', async () => {
    const t = conductorUnderTest({ roundRobin: true });
    for (const id of ['b', 'c']) t.raft.peer(id).eligibility = fitPeer();
    for (let i = 0; i < 3; i++)
      t.raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    await sick(t);
    expect(t.outcome).toEqual({ active: true, transfers: ['b', 'c'] });
    await pass(20_000);
    expect(t.raft.transfers).toEqual(['b', 'c', 'b', 'c']);
  });

  it('RoundRobin: ignores non-voters', async () => {
    const t = conductorUnderTest({ roundRobin: true });
    t.raft.peer('d').eligibility = fitPeer();
    await sick(t);
    expect(t.raft.transfers).toEqual([]);
  });

  it('RoundRobin: a transfer in progress counts as success', async () => {
    const t = conductorUnderTest({ roundRobin: true });
    t.raft.peer('b').eligibility = fitPeer();
    t.raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-in-progress' });
    const told: boolean[] = [];
    t.controller.on('transferred', (success) => told.push(success));
    await t.sequencing();
    t.health('too-few-peers');
    await pass(10);
    expect(told).toEqual([true]);
  });

  it('are not requested while another transfer is under way', async () => {
    const t = conductorUnderTest({ roundRobin: true });
    t.raft.peer('b').eligibility = fitPeer();
    await t.sequencing();
    t.raft.transferring = true;
    t.health('too-few-peers');
    await pass(2000);
    expect(t.outcome).toEqual({ active: true, transfers: [] });
    t.raft.transferring = false;
    await poll();
    expect(t.raft.transfers).toEqual(['b']);
  });

  it('does not concern conductor_transferLeader', async () => {
    const t = conductorUnderTest({ roundRobin: true });
    t.raft.peer('b').eligibility = fitPeer(50);
    t.raft.peer('c').eligibility = fitPeer();
    await t.up();
    t.raft.lead();
    await t.conductor.transferLeader();
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('transfers leadership in turn when it is stopped', async () => {
    const t = conductorUnderTest({ roundRobin: true });
    t.raft.peer('b').eligibility = fitPeer(50);
    t.raft.peer('c').eligibility = fitPeer();
    await t.sequencing();
    await t.controller.retire();
    expect(t.raft.transfers).toEqual(['b']);
  });
});

describe('transfers that do not work', () => {
  it('go to the next best member after one to the best has failed', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer(3);
    t.raft.peer('c').eligibility = fitPeer();
    t.raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    t.health('too-few-peers');
    await pass(1000);
    expect(t.raft.transfers).toEqual(['c', 'b']);
  });

  it('but succeeded despite a reported failure are not repeated (issue #22924)', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer();
    const transfer = t.raft.transferLeadership.bind(t.raft);
    t.raft.transferLeadership = async (to) => {
      await transfer(to);
      return { outcome: 'unknown', reason: 'leadership transfer timeout' };
    };
    const told: boolean[] = [];
    t.controller.on('transferred', (success) => told.push(success));
    t.health('too-few-peers');
    await pass(1000);
    expect({ transfers: t.raft.transfers, told }).toEqual({ transfers: ['b'], told: [true] });
  });
});

describe('a chain that has stopped', () => {
  it('goes round, so that the next node tries, not always the best one (#18845)', async () => {
    const t = conductorUnderTest();
    t.raft.peer('b').eligibility = encodeEligibility(Fitness.stale, 50);
    t.raft.peer('c').eligibility = encodeEligibility(Fitness.stale, 0);
    await t.sequencing();
    t.health('unsafe-head-old');
    await pass(10_500);
    expect(t.raft.transfers).toEqual(['b']);
  });
});

describe('successors', () => {
  it('are voters that answer, the fittest first, then those with the most of the log', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('d').eligibility = fitPeer();
    t.raft.peer('b').eligibility = fitPeer();
    t.raft.peer('b').lastContactMs = 501;
    await t.conductor.transferLeader();
    expect(t.raft.transfers).toEqual(['c']);

    for (const id of ['b', 'c'])
      Object.assign(t.raft.peer(id), { lastContactMs: 10, eligibility: fitPeer() });
    t.raft.peer('c').matchIndex = 101;
    t.raft.lead();
    await t.conductor.transferLeader();
    expect(t.raft.transfers).toEqual(['c', 'c']);
  });
});

describe('a transfer of a sequencer that still runs', () => {
  /** Only its peers are missing, and b is fit. */
  async function sickLeader(): Promise<ConductorUnderTest> {
    const t = conductorUnderTest();
    t.raft.peer('b').eligibility = fitPeer();
    await t.sequencing();
    return t;
  }

  it('stops it only when the other member has the whole log', async () => {
    const t = await sickLeader();
    t.raft.prepareTransfer = async () => {
      expect(t.node.active).toBe(true);
      return { outcome: 'done', index: 1, term: 1 };
    };
    t.health('too-few-peers');
    await pass(100);
    expect(t.outcome).toEqual({ active: false, transfers: ['b'] });
  });

  it('leaves it running when the other member cannot get the log, and does not retry for ten seconds', async () => {
    const t = await sickLeader();
    const failed = { outcome: 'rejected', reason: 'transfer-timeout' } as const;
    t.raft.prepareOutcomes.push(...Array.from({ length: 100 }, () => failed));
    t.health('too-few-peers');
    await pass(9000);
    expect(t.raft.prepared).toEqual(['b']);
    expect(t.outcome).toEqual({ active: true, transfers: [] });
    await pass(2000);
    expect(t.raft.prepared).toEqual(['b', 'b']);
  });

  it('tries a member to which it has failed when its own node does not answer at all', async () => {
    const t = await sickLeader();
    t.raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    t.node.die();
    await pass(300);
    expect(t.raft.transfers).toEqual(['b', 'b']);
  });

  it('is also prepared at the end of the process', async () => {
    const t = await sickLeader();
    t.raft.peer('c').eligibility = fitPeer();
    t.raft.prepareOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    await t.controller.retire();
    expect({ prepared: t.raft.prepared, ...t.outcome }).toEqual({
      prepared: ['b', 'c'],
      active: false,
      transfers: ['c'],
    });
  });
});

describe('a preferred leader', () => {
  /** Time passes, and the sequencer makes a block every second. */
  async function passWithBlocks(t: ConductorUnderTest, seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      if (t.node.active) {
        const block = refOf(t.node.head.number + 1);
        t.raft.commit(block);
        t.node.gossip(block);
      }
      await pass(1000);
    }
  }

  async function withPreferred(): Promise<ConductorUnderTest> {
    const t = conductorUnderTest();
    await t.sequencing();
    Object.assign(t.raft.peer('c'), { eligibility: fitPeer(), priority: 10 });
    return t;
  }

  it('gets leadership back once it has been fit for a minute, after this node ends its block', async () => {
    const t = await withPreferred();
    await passWithBlocks(t, 59);
    expect(t.outcome).toEqual({ active: true, transfers: [] });
    await passWithBlocks(t, 3);
    expect(t.outcome).toEqual({ active: false, transfers: ['c'] });
  });

  it('that does not take it is not asked repeatedly', async () => {
    const t = await withPreferred();
    t.raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    await passWithBlocks(t, 300);
    expect(t.outcome).toEqual({ active: true, transfers: ['c'] });
  });
});
