import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientError } from '../../rpc/clients/client-error.js';
import { StartRefusedError } from '../../rpc/clients/start-refusal.js';
import { encodeEligibility, Fitness } from './eligibility.js';
import { hashOf, refOf } from '../testing/chain.js';
import {
  conductorUnderTest,
  endConductors,
  fitPeer,
  poll,
  type ConductorUnderTest,
} from '../testing/conductor-under-test.js';
import { hashMismatch } from '../testing/fake-node.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

describe('a sequencer that cannot be started', () => {
  /** Returns a function that lets the next starts succeed again. */
  const refuseStarts = (
    { node }: ConductorUnderTest,
    refusal = new Error('sequencer is not enabled'),
  ): (() => void) => {
    const { startSequencer } = node.opNode;
    node.opNode.startSequencer = (head, options) => {
      node.faults.set('startSequencer', refusal);
      return startSequencer(head, options);
    };
    return () => (node.opNode.startSequencer = startSequencer);
  };

  it('gives leadership to an equally healthy node after three tries, not after ten seconds', async () => {
    const t = conductorUnderTest();
    await t.up();
    refuseStarts(t);
    t.raft.peer('b').eligibility = fitPeer(5);
    t.raft.lead();
    await pass(1000);
    expect({ starts: t.node.starts.length, transfers: t.raft.transfers }).toEqual({
      starts: 3,
      transfers: ['b'],
    });
    // The next leader knows of it at first.
    await poll();
    expect(t.raft.eligibility).toBe(encodeEligibility(Fitness.impaired, 0));
    await pass(11_000);
    expect(t.raft.eligibility).toBe(fitPeer());
  });

  it('is tried again when the proof of leadership is missing', async () => {
    const t = conductorUnderTest();
    await t.up();
    const readBarrier = t.raft.readBarrier.bind(t.raft);
    t.raft.readBarrier = () => new Promise(() => undefined);
    t.raft.lead();
    await pass(1000);
    expect(t.node.starts).toEqual([]);
    t.raft.readBarrier = readBarrier;
    await pass(5000);
    expect(t.node.starts).toHaveLength(1);
  });

  it('is tried further when nobody is fitter', async () => {
    const t = conductorUnderTest();
    await t.up();
    refuseStarts(t);
    t.raft.peer('b').eligibility = encodeEligibility(Fitness.impaired, 0);
    t.raft.lead();
    await pass(5000);
    expect(t.node.starts.length).toBeGreaterThan(5);
    expect(t.raft.transfers).toEqual([]);
  });

  it('gives up after one attempt when the node ignores posted blocks', async () => {
    const t = conductorUnderTest();
    await t.up(8);
    t.node.losesPosts = Infinity;
    t.raft.peer('c').eligibility = fitPeer();
    t.raft.lead();
    await pass(3500);
    expect(t.raft.transfers).toEqual(['c']);
  });

  it('gives up after one attempt when op-node is never where its execution client is', async () => {
    const t = conductorUnderTest();
    await t.up();
    refuseStarts(t, hashMismatch(refOf(9), hashOf(10)));
    t.raft.peer('b').eligibility = fitPeer();
    t.raft.lead();
    await pass(6500);
    expect(t.raft.transfers).toEqual(['b']);
  });

  it('gives up after one attempt when op-node does not answer', async () => {
    const t = conductorUnderTest();
    await t.up();
    const timeout = { code: 'timeout', timeoutMs: 2000 } as const;
    refuseStarts(t, new ClientError(timeout, 'admin_startSequencer', 'http://x', 'no answer within 2000 ms'));
    t.raft.peer('b').eligibility = fitPeer();
    t.raft.lead();
    await pass(100);
    expect({ starts: t.node.starts.length, transfers: t.raft.transfers }).toEqual({
      starts: 1,
      transfers: ['b'],
    });
  });

  it('because op-node asks another conductor also gives leadership away', async () => {
    const t = conductorUnderTest();
    await t.up();
    refuseStarts(
      t,
      new StartRefusedError({ reason: 'not-leader' }, new Error('sequencer is not the leader')),
    );
    t.raft.peer('b').eligibility = fitPeer();
    t.raft.lead();
    await pass(1000);
    expect({ starts: t.node.starts.length, transfers: t.raft.transfers }).toEqual({
      starts: 3,
      transfers: ['b'],
    });
  });

  it('may try again when it gets leadership back', async () => {
    const t = conductorUnderTest();
    await t.up();
    const letStart = refuseStarts(t);
    t.raft.peer('b').eligibility = fitPeer();
    t.raft.lead();
    await pass(1000);
    expect(t.raft.transfers).toEqual(['b']);
    letStart();
    t.raft.follow('b');
    await poll();
    expect(t.raft.eligibility).toBe(encodeEligibility(Fitness.impaired, 0));
    t.raft.lead();
    await poll();
    expect(t.outcome).toEqual({
      active: true,
      transfers: ['b'],
    });
  });

  it('is forgotten as soon as it starts', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.node.faults.set('startSequencer', new Error('busy'));
    t.raft.lead();
    await pass(1000);
    expect({ active: t.node.active, eligibility: t.raft.eligibility }).toEqual({
      active: true,
      eligibility: fitPeer(),
    });
  });
});
