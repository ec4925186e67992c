import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { refOf } from '../testing/chain.js';
import {
  conductorUnderTest,
  endConductors,
  fitPeer,
  type ConductorUnderTest,
} from '../testing/conductor-under-test.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';
import { encodeEligibility, Fitness } from './eligibility.js';

useVirtualTime();

let t: ConductorUnderTest;
/** All calls to a node. */
let asked: string[];

beforeEach(() => {
  t = conductorUnderTest({ witness: true });
  asked = [];
  for (const client of [t.node.opNode, t.node.execution] as Record<string, unknown>[]) {
    for (const name of Object.keys(client).filter((key) => key !== 'onDisconnect')) {
      client[name] = jest.fn(async () => {
        asked.push(name);
        throw new Error('there is no node');
      });
    }
  }
  t.localNode.start();
});
afterEach(async () => {
  await endConductors();
  expect(asked).toEqual([]);
});

/** A peer that says this about itself has answered. */
function answers(id: string, eligibility: number): void {
  t.raft.peer(id).eligibility = eligibility;
  t.raft.emit('answered', id);
}

describe('a witness that follows', () => {
  it('is unfit from the start, healthy, and does nothing', async () => {
    t.raft.eligibility = 1;
    t.localNode.start();
    expect(t.raft.eligibility).toBe(0);
    t.raft.commit(refOf(11));
    await pass(60_000);
    expect(t.conductor.sequencerHealthy()).toBe(true);
    expect(t.raft.transfers).toEqual([]);
  });
});

describe('a witness that leads', () => {
  it('hands over on the first answer of a member that can sequence, without waiting for a poll', async () => {
    t.raft.lead();
    answers('b', 0);
    expect(t.raft.transfers).toEqual([]);
    answers('c', fitPeer());
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('hands over as soon as it may when it knows of one before its leadership is complete', async () => {
    t.raft.lead(false);
    answers('c', fitPeer());
    expect(t.raft.transfers).toEqual([]);
    t.raft.complete();
    expect(t.raft.transfers).toEqual(['c']);
  });

  it.each(Object.entries(Fitness))(
    'to one that is %s, unless that can do nothing either',
    async (_name, level) => {
      t.raft.lead();
      answers('b', encodeEligibility(level, 0));
      await pass(0);
      expect(t.raft.transfers).toEqual(level === Fitness.unfit ? [] : ['b']);
    },
  );

  it('to the fittest', async () => {
    t.raft.peer('b').eligibility = encodeEligibility(Fitness.stale, 0);
    t.raft.peer('c').eligibility = fitPeer(3);
    t.raft.lead();
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('to the fittest even when the chain has stopped for long, as it must while a witness leads', async () => {
    t.raft.lead();
    answers('b', 0);
    await pass(60_000);
    t.raft.peer('b').eligibility = encodeEligibility(Fitness.impaired, 0);
    answers('c', fitPeer());
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('tries one after the other while it leads', async () => {
    for (let i = 0; i < 3; i++)
      t.raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    for (const id of ['b', 'c']) t.raft.peer(id).eligibility = fitPeer();
    t.raft.lead();
    await pass(1000);
    expect(t.raft.transfers.slice(0, 2).sort()).toEqual(['b', 'c']);
    expect(t.raft.transfers).toHaveLength(4);
    expect(t.raft.role).toBe('follower');
  });

  it('keeps leadership as long as nobody could sequence, and says why', async () => {
    t.raft.lead();
    for (let i = 0; i < 100; i++) {
      answers('b', 0);
      answers('c', 0);
      await pass(500);
    }
    expect(t.raft.transfers).toEqual([]);
    expect(t.raft.role).toBe('leader');
    expect(t.conductor.status().node.reason).toBe('a witness has no node');
    answers('b', fitPeer());
    expect(t.raft.transfers).toEqual(['b']);
  });

  it('does not get leadership back from a member that is sick', async () => {
    const other = conductorUnderTest();
    await other.sequencing();
    other.raft.peer('b').eligibility = 0;
    other.node.die();
    await pass(60_000);
    expect(other.raft.transfers).toEqual([]);
    expect(other.raft.role).toBe('leader');
  });

  it('retires without asking its node to stop anything', async () => {
    t.raft.lead();
    answers('b', 0);
    await t.controller.retire();
    expect(t.raft.transfers).toHaveLength(1);
  });
});

describe('a witness that is paused', () => {
  it('still transfers leadership, because it has no sequencer that a pause could be for', async () => {
    await t.conductor.pause();
    t.raft.lead();
    answers('b', fitPeer());
    expect(t.raft.transfers).toEqual(['b']);
    expect(t.conductor.paused()).toBe(true);
  });

  it('keeps leadership while every member with a node is also paused', async () => {
    await t.conductor.pause();
    t.raft.lead();
    answers('b', encodeEligibility(Fitness.unfit, 0));
    await pass(60_000);
    expect(t.raft.transfers).toEqual([]);
  });

  it('is resumed without a call to a node', async () => {
    await t.conductor.pause();
    await t.conductor.resume();
    expect(t.conductor.paused()).toBe(false);
  });
});
