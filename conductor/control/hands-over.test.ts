import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  conductorUnderTest,
  endConductors,
  fitPeer,
  type ConductorUnderTest,
} from '../testing/conductor-under-test.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

let t: ConductorUnderTest;
/** The event of each hand-over, and how many transfers there had been by then. */
let told: unknown[][];

beforeEach(async () => {
  t = conductorUnderTest();
  told = [];
  t.controller.on('handsOver', (to, cause) => void told.push([to, cause, t.raft.transfers.length]));
  t.conductor.on('handsOver', (to, by) => void told.push([to, by, t.raft.transfers.length]));
  await t.sequencing();
  t.raft.peer('c').eligibility = fitPeer();
});

describe('a leader says why it gives leadership away, before it does', () => {
  it('because its node is unhealthy', async () => {
    t.health('too-few-peers');
    await pass(3000);
    expect(told).toEqual([['c', { type: 'unhealthy', reason: 'it is too-few-peers' }, 0]]);
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('because its process ends', async () => {
    await t.controller.retire('SIGTERM');
    expect(told).toEqual([['c', { type: 'shutdown', reason: 'SIGTERM' }, 0]]);
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('because an operator asks for it', async () => {
    const by = { address: '10.0.0.9:4000' };
    await t.conductor.transferLeaderToServer('c', '', by);
    expect(told).toEqual([['c', by, 0]]);
  });

  it('to the best member', async () => {
    t.raft.peers = [];
    await t.conductor.transferLeader();
    expect(told).toEqual([[null, undefined, 0]]);
  });
});

describe('no event comes', () => {
  it('from a follower', async () => {
    t.raft.follow('b');
    await t.controller.retire('SIGTERM');
    await expect(t.conductor.transferLeader()).rejects.toThrow('not the leader');
    expect(told).toEqual([]);
  });

  it('for a transfer that is refused at once', async () => {
    await expect(t.conductor.transferLeaderToServer('z', '')).rejects.toThrow('not a member');
    expect(told).toEqual([]);
  });
});
