import { afterEach, describe, expect, it } from '@jest/globals';
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

describe('pause and resume', () => {
  const flags = ({ conductor }: ConductorUnderTest): object => ({
    active: conductor.active(),
    paused: conductor.paused(),
    stopped: conductor.stopped(),
  });

  it('ControlLoop1 of op-conductor: pause, resume, stop', async () => {
    const t = conductorUnderTest();
    await t.up();
    expect(flags(t)).toEqual({ active: true, paused: false, stopped: false });
    await t.conductor.pause();
    expect(flags(t)).toEqual({ active: false, paused: true, stopped: false });
    t.raft.lead();
    t.health('too-few-peers');
    t.health('ok');
    await poll();
    expect(t.node.starts).toEqual([]);
    await t.conductor.resume();
    expect(flags(t)).toEqual({ active: true, paused: false, stopped: false });
    await poll();
    expect(t.node.active).toBe(true);
    await t.controller.retire();
    expect(flags(t)).toEqual({ active: false, paused: false, stopped: true });
  });

  it('ControlLoop2 of op-conductor: twice is as good as once', async () => {
    const t = conductorUnderTest();
    await t.up();
    await t.conductor.pause();
    await t.conductor.pause();
    expect(t.conductor.paused()).toBe(true);
    await t.conductor.resume();
    await t.conductor.resume();
    expect(t.conductor.paused()).toBe(false);
  });

  it('ControlLoop3 of op-conductor: pause, then stop', async () => {
    const t = conductorUnderTest();
    await t.up();
    await t.conductor.pause();
    await t.controller.retire();
    expect(flags(t)).toEqual({ active: false, paused: true, stopped: true });
  });

  it('answers at once while an action hangs, and ends that action', async () => {
    const t = conductorUnderTest();
    await t.up();
    t.node.faults.set('startSequencer', 'hang');
    t.raft.lead();
    await pass(0);
    expect(t.node.starts).toHaveLength(1);
    await t.conductor.pause();
    t.node.faults.clear();
    await pass(5000);
    expect({ active: t.node.active, starts: t.node.starts.length }).toEqual({ active: false, starts: 1 });
  });

  it('a paused leader stays leader, even when it is sick', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    t.raft.peer('b').eligibility = fitPeer();
    await t.conductor.pause();
    t.health('too-few-peers');
    await pass(2000);
    expect({ transfers: t.raft.transfers, active: t.node.active, leads: t.conductor.leader() }).toEqual({
      transfers: [],
      active: true,
      leads: true,
    });
  });

  it('resume reads again whether the sequencer runs', async () => {
    const t = conductorUnderTest();
    await t.sequencing();
    await t.conductor.pause();
    t.node.active = false;
    await t.conductor.resume();
    await pass(0);
    expect(t.node.starts).toHaveLength(2);
  });

  it('resume without an answer of op-node stays paused, with the text of op-conductor', async () => {
    const t = conductorUnderTest();
    await t.up();
    await t.conductor.pause();
    t.node.faults.set('sequencerActive', new Error('connection refused'));
    await expect(t.conductor.resume()).rejects.toMatchObject({
      message:
        'cannot resume because failed to get sequencer active status: failed to get sequencer active status: connection refused',
      code: -32000,
    });
    expect(t.conductor.paused()).toBe(true);
  });

  it('starts paused when it is told to, or when it founds a cluster', async () => {
    const t = conductorUnderTest({ paused: true });
    await t.up();
    t.raft.lead();
    await poll();
    expect({ paused: t.conductor.paused(), starts: t.node.starts }).toEqual({ paused: true, starts: [] });

    const founder = conductorUnderTest();
    await founder.controller.pauseForBootstrap();
    expect(founder.conductor.paused()).toBe(true);
  });
});
