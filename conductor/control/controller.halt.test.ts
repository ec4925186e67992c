import { afterEach, describe, expect, it } from '@jest/globals';
import { hashOf, recordOf } from '../testing/chain.js';
import {
  conductorUnderTest,
  endConductors,
  fitPeer,
  poll,
  type ConductorUnderTest,
} from '../testing/conductor-under-test.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

/** What the log says about a halt, as soon as it is applied. */
function logSays(t: ConductorUnderTest, type: 'halt' | 'endHalt'): void {
  const who = { owner: 'alice@ops', reason: 'bad upgrade' };
  t.records.apply(recordOf(type, { atMs: 7, who, change: { type } }), 20);
  t.raft.emit('applied', 20);
}

describe('a halt', () => {
  it('stops the sequencer of the leader at once, and starts none while it lasts', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    logSays(t, 'halt');
    await pass(0);
    expect(t.node.active).toBe(false);
    // Longer than a leader waits for a chain that does not advance.
    t.raft.peer('b').eligibility = fitPeer();
    t.health('unsafe-head-old');
    await pass(60_000);
    expect(t.outcome).toEqual({ active: false, transfers: [] });
    expect(t.conductor.status().halt).toEqual({ sinceMs: 7, owner: 'alice@ops', reason: 'bad upgrade' });
  });

  it('ends with its record, and the leader continues where it stopped', async () => {
    const t = conductorUnderTest();
    await t.up();
    logSays(t, 'halt');
    t.raft.lead();
    await pass(5000);
    expect(t.node.starts).toEqual([]);
    logSays(t, 'endHalt');
    await pass(0);
    expect(t.node.starts).toEqual([hashOf(10)]);
    expect(t.conductor.status().halt).toBeNull();
  });

  it('stops a sequencer that was started by hand, even with a paused conductor', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    await t.conductor.pause();
    logSays(t, 'halt');
    await pass(0);
    expect(t.node.active).toBe(false);
    t.node.active = true;
    await poll();
    expect(t.node.active).toBe(false);
  });

  it('does not bind a member that leads by decree, without the cluster', async () => {
    const t = conductorUnderTest();
    await t.up();
    logSays(t, 'halt');
    await t.conductor.pause();
    t.conductor.overrideLeader(true);
    t.node.active = true;
    await pass(5000);
    expect(t.node.active).toBe(true);
    t.conductor.overrideLeader(false);
    await poll();
    expect(t.node.active).toBe(false);
  });

  it('is a record of the log that says who decided it and why', async () => {
    const t = conductorUnderTest();
    await t.conductor.halt('alice@ops', 'bad upgrade');
    await t.conductor.endHalt('bob@ops', 'x'.repeat(2000));
    expect(t.recorded).toEqual([
      {
        ...{ kind: 'operation', what: 'halt', change: { type: 'halt' } },
        who: { owner: 'alice@ops', reason: 'bad upgrade' },
      },
      {
        ...{ kind: 'operation', what: 'end-halt', change: { type: 'endHalt' } },
        who: { owner: 'bob@ops', reason: 'x'.repeat(1024) },
      },
    ]);
  });
});
