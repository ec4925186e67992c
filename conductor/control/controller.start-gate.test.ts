import { afterEach, describe, expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { chainOf, hashOf, payloadOf, refOf } from '../testing/chain.js';
import {
  conductorUnderTest,
  endConductors,
  fitPeer,
  poll,
  POLL_MS,
  type ConductorUnderTest,
} from '../testing/conductor-under-test.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

/** What another member says about its node. */
function says(t: ConductorUnderTest, id: string, node: Partial<ConductorStatus['node']>): void {
  const own = t.conductor.status();
  const status = { ...own, id, active: true, node: { ...own.node, reachable: true, leftAt: null, ...node } };
  t.memberStatus.set(`${id}:50050`, { nodeId: id, status });
}

const headAt = (number: number, branch = 'a') => ({ head: refOf(number, branch) });
const leftAt = (number: number) => ({ leftAt: { number, hash: hashOf(number) } });

describe('the first start of an empty log', () => {
  async function unborn(): Promise<ConductorUnderTest> {
    const t = conductorUnderTest();
    t.chain.startFrom(undefined);
    await t.up(9);
    return t;
  }

  it('is on the highest head that a majority reports', async () => {
    const t = await unborn();
    says(t, 'b', headAt(9));
    says(t, 'c', headAt(7));
    t.raft.lead();
    await pass(0);
    expect(t.node.starts).toEqual([hashOf(9)]);
    expect(t.conductor.status().node.startHeldBy).toBe('');
  });

  it('asks nobody in a cluster of one', async () => {
    const t = await unborn();
    t.raft.members = t.raft.members.slice(0, 1);
    t.raft.lead();
    await pass(0);
    expect(t.node.starts).toEqual([hashOf(9)]);
  });

  it('is left to the member that has a higher head', async () => {
    const t = await unborn();
    says(t, 'b', headAt(9));
    says(t, 'c', headAt(13));
    t.raft.lead();
    await pass(10);
    expect({ starts: t.node.starts, transfers: t.raft.transfers }).toEqual({ starts: [], transfers: ['c'] });
  });

  it('waits when that member does not take over, and tries again less and less often', async () => {
    const t = await unborn();
    says(t, 'c', headAt(13));
    const failed = { outcome: 'rejected', reason: 'transfer-timeout' } as const;
    t.raft.transferOutcomes.push(...Array.from({ length: 100 }, () => failed));
    t.raft.lead();
    await pass(9000);
    expect(t.node.starts).toEqual([]);
    expect(t.raft.transfers.length).toBeGreaterThan(3);
    expect(t.raft.transfers.length).toBeLessThan(20);
    expect(new Set(t.raft.transfers)).toEqual(new Set(['c']));
  });

  it('waits for a majority, says so, and does not consider itself broken', async () => {
    const t = await unborn();
    t.raft.peer('b').eligibility = fitPeer();
    t.raft.lead();
    await pass(5000);
    expect(t.node.starts).toEqual([]);
    expect(t.raft.transfers).toEqual([]);
    expect(t.raft.eligibility).toBe(fitPeer());
    expect(t.conductor.status().node.startHeldBy).toBe(
      'nothing is committed yet, and the heads of b, c are not known',
    );
    says(t, 'b', headAt(9));
    await pass(1100);
    expect(t.node.starts).toEqual([hashOf(9)]);
    expect(t.conductor.status().node.startHeldBy).toBe('');
  });

  it('is not done by a sequencer that ran when its node was elected', async () => {
    const t = await unborn();
    says(t, 'b', headAt(13));
    t.raft.lead(false);
    t.node.active = true;
    t.localNode.noteSequencer(true);
    t.raft.complete();
    await pass(2 * POLL_MS);
    expect(t.outcome).toEqual({ active: false, transfers: ['b'] });
  });

  it('is refused to a sequencer that ran before, even before the first poll', async () => {
    const t = await unborn();
    says(t, 'b', headAt(9));
    t.raft.lead(false);
    t.node.active = true;
    t.raft.complete();
    await expect(t.conductor.commitUnsafePayload(payloadOf(refOf(10)))).rejects.toThrow(
      'have not been compared',
    );
    expect(t.raft.proposals).toEqual([]);
    await pass(1000);
    expect(t.node.starts).toEqual([hashOf(9)]);
    await t.conductor.commitUnsafePayload(payloadOf(refOf(10)));
    expect(t.raft.proposals).toHaveLength(1);
  });

  it('is left to the operator while the node is paused', async () => {
    const t = conductorUnderTest({ paused: true });
    t.chain.startFrom(undefined);
    await t.up(9);
    t.node.active = true;
    t.raft.lead();
    await t.conductor.commitUnsafePayload(payloadOf(refOf(10)));
    expect(t.raft.proposals).toHaveLength(1);
  });

  it('needs no check once a block is committed', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    expect(t.conductor.status().node.startHeldBy).toBe('');
  });
});

describe('a leader whose client has left the committed chain by itself', () => {
  /** The client of a standby has its own blocks after this one. */
  async function left(on: number): Promise<ConductorUnderTest> {
    const t = conductorUnderTest();
    await t.up();
    const branch = chainOf(on + 1, 12, 'b').map(({ number }) =>
      refOf(number, 'b', number === on + 1 ? hashOf(on) : hashOf(number - 1, 'b')),
    );
    t.node.rewind(on, ...branch);
    await pass(2 * POLL_MS);
    return t;
  }

  it('takes the committed head back to where a majority has left, and starts from its own head', async () => {
    const t = await left(7);
    says(t, 'b', leftAt(7));
    says(t, 'c', {});
    t.raft.lead();
    await pass(100);
    const [from, to] = [10, 7].map((number) => ({ number, hash: hashOf(number) }));
    expect(t.resets).toEqual([{ from, to, evidence: 'clients-left', who: 'a, b' }]);
    expect(t.node.posted).toEqual([]);
    expect(t.node.starts).toEqual([hashOf(12, 'b')]);
    await pass(5000);
    expect(t.resets).toHaveLength(1);
    expect(t.node.starts).toHaveLength(1);
    expect(t.conductor.status().node).toMatchObject({ branch: 'on', leftAt: null });
  });

  it('leaves that to a member that has left at the same block as the majority', async () => {
    const t = await left(7);
    says(t, 'b', leftAt(8));
    says(t, 'c', {});
    t.raft.lead();
    await pass(100);
    expect({ resets: t.resets, transfers: t.raft.transfers }).toEqual({ resets: [], transfers: ['b'] });
  });

  it('waits for the others while L1 replaces blocks', async () => {
    const t = await left(7);
    says(t, 'b', {});
    says(t, 'c', {});
    t.localNode.l1.note(t.node.l1Blocks, performance.now());
    t.node.l1Blocks = [refOf(100, 'another l1')];
    t.raft.lead();
    await pass(2000);
    expect(t.node).toMatchObject({ starts: [], posted: [] });
    expect(t.conductor.status().node.startHeldBy).toContain('only 1 of 3 voters');
    says(t, 'c', leftAt(7));
    await pass(1100);
    expect(t.resets).toMatchObject([{ to: { number: 7 }, who: 'a, c' }]);
    expect(t.node.active).toBe(true);
  });

  it('waits for them for half a minute', async () => {
    const t = await left(7);
    for (const id of ['b', 'c']) says(t, id, {});
    t.localNode.l1.note(t.node.l1Blocks, performance.now());
    t.node.l1Blocks = [refOf(100, 'another l1')];
    t.raft.lead();
    await pass(29_000);
    expect(t.node.starts).toEqual([]);
    await pass(3000);
    expect(t.node.starts).toEqual([hashOf(10)]);
  });

  it('that is the only voter counts three departures of its client as evidence', async () => {
    const t = conductorUnderTest();
    t.raft.members = t.raft.members.slice(0, 1);
    await t.sequencing();
    for (const times of [1, 2, 3]) {
      expect(t.resets).toEqual([]);
      expect(t.node.starts).toHaveLength(times);
      t.node.rewind(7);
      await pass(1000);
    }
    expect(t.resets).toMatchObject([{ to: { number: 7 }, who: 'a' }]);
    expect(t.node.starts.at(-1)).toBe(hashOf(7));
  });

  it('is one whose op-node walks back, even if the client stays', async () => {
    const t = conductorUnderTest();
    await t.up();
    says(t, 'b', leftAt(7));
    t.node.unsafeHead = refOf(7);
    await pass(2 * POLL_MS);
    expect(t.conductor.status().node.leftAt).toEqual({ number: 7, hash: hashOf(7) });
    t.raft.lead();
    await pass(1000);
    expect(t.resets).toMatchObject([{ to: { number: 7 }, who: 'a, b' }]);
    expect(t.node).toMatchObject({ starts: [hashOf(7)], posted: [], active: true });
  });

  it('alone is brought back to the committed head', async () => {
    const t = await left(7);
    says(t, 'b', {});
    t.raft.lead();
    await pass(2000);
    expect(t.resets).toEqual([]);
    expect(t.node.starts).toEqual([hashOf(10)]);
    expect(t.node.head).toEqual(refOf(10));
  });

  it('does not start when the head cannot be taken back, and keeps trying', async () => {
    const t = await left(7);
    says(t, 'b', leftAt(7));
    t.raft.reset = () => {
      throw new Error('leadership lost');
    };
    t.raft.lead();
    await pass(1000);
    expect(t.resets.length).toBeGreaterThan(1);
    expect(t.node).toMatchObject({ starts: [], posted: [] });
  });

  it('while it sequences is stopped first', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    says(t, 'b', leftAt(8));
    t.node.rewind(8, refOf(9, 'b', hashOf(8)));
    await pass(1000);
    expect(t.resets).toMatchObject([{ to: { number: 8 } }]);
    expect(t.node.starts).toEqual([hashOf(10), hashOf(9, 'b')]);
    expect(t.node.active).toBe(true);
  });

  it('is not one after a power cut, which rewinds all clients: they come back to the committed head', async () => {
    const t = conductorUnderTest();
    await t.up();
    for (const id of ['b', 'c']) says(t, id, headAt(7));
    t.node.faults.set('latestBlock', new Error('connection refused'));
    await poll();
    t.node.rewind(7);
    await pass(2 * POLL_MS);
    expect(t.conductor.status().node.leftAt).toBeNull();
    t.raft.lead();
    await pass(1000);
    expect(t.resets).toEqual([]);
    expect(t.node.starts).toEqual([hashOf(10)]);
  });
});

describe('an op-node that does not ask its conductor', () => {
  it('is not started, and the reason is reported', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.node.asksConductor = false;
    t.raft.lead();
    await pass(2000);
    expect(t.node.starts).toEqual([]);
    expect(t.raft.eligibility).toBe(0);
    const { node, health } = t.conductor.status();
    expect(node.startHeldBy).toContain('op-node publishes without asking its conductor');
    expect(health).toMatchObject({ status: 'unhealthy', reasons: [{ code: 'conductor-disabled' }] });
    t.node.asksConductor = true;
    await pass(2000);
    expect(t.node.active).toBe(true);
    expect(t.conductor.status().node.startHeldBy).toBe('');
  });

  it('leaves leadership to a fit node', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.raft.peer('c').eligibility = fitPeer();
    t.node.asksConductor = false;
    t.raft.lead();
    await pass(100);
    expect({ starts: t.node.starts, transfers: t.raft.transfers }).toEqual({ starts: [], transfers: ['c'] });
  });

  it('and sequences is stopped as soon as it answers again', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.node.faults.set('sequencerActive', new Error('connection refused'));
    t.node.asksConductor = false;
    await poll();
    expect(t.node.active).toBe(true);
    await poll();
    expect(t.node.active).toBe(false);
    await pass(2000);
    expect(t.node.starts).toEqual([hashOf(10)]);
  });

  it('after admin_overrideLeader is not started before its restart', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.override.sinceMs = 7;
    t.raft.lead();
    await pass(2000);
    expect(t.node.starts).toEqual([]);
    const { node, health } = t.conductor.status();
    expect(node.overriddenSinceMs).toBe(7);
    expect(health).toMatchObject({ status: 'unhealthy', reasons: [{ code: 'conductor-disabled' }] });
    expect(health.summary).toContain('admin_overrideLeader');
    t.override.sinceMs = null;
    await pass(2000);
    expect(t.node.active).toBe(true);
  });

  it('after admin_overrideLeader is stopped where it sequences as leader', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.override.sinceMs = 7;
    await poll();
    expect(t.node.active).toBe(false);
  });

  it('hears that this node does not lead during the check', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.raft.lead();
    expect(t.conductor.leader()).toBe(true);
    t.override.isLooking = true;
    expect(t.conductor.leader()).toBe(false);
  });

  it('is not queried at every poll', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.node.faults.set('conductorEnabled', new Error('busy'));
    await pass(5000);
    expect(t.localNode.state.reachable).toBe(true);
    expect(t.node.faults.has('conductorEnabled')).toBe(true);
  });

  it('or does not say it is not started yet', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.node.faults.set('conductorEnabled', new Error('busy'));
    t.raft.lead();
    await pass(0);
    expect(t.node.starts).toEqual([]);
    await pass(100);
    expect(t.node.starts).toEqual([hashOf(10)]);
  });
});

describe('a start whose answer is lost', () => {
  it('is a start when the sequencer runs, and not a reason to leave', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.raft.peer('b').eligibility = fitPeer();
    const { startSequencer } = t.node.opNode;
    t.node.opNode.startSequencer = async (head, options) => {
      await startSequencer(head, options);
      t.node.faults.set('startSequencer', 'hang');
      return startSequencer(head, options);
    };
    t.raft.lead();
    await pass(2100);
    expect(t.node.starts).toHaveLength(2);
    await pass(15_000 - 2100);
    expect(t.node.starts).toHaveLength(2);
    expect(t.outcome).toEqual({ active: true, transfers: [] });
    expect(t.raft.eligibility).toBe(fitPeer());
  });
});
