import { beforeEach, describe, expect, it } from '@jest/globals';
import { ClientError } from '../../rpc/clients/client-error.js';
import { silent } from '../testing/chain.js';
import { FakeNode, hashMismatch } from '../testing/fake-node.js';
import { hashOf, refOf } from '../testing/chain.js';
import { SequencerByHand } from './sequencer-by-hand.js';

let node: FakeNode;
/** Known facts and actions, in order. */
let done: string[];
let localNode: { isAbsent: boolean; notAsking: string | undefined; noteSequencer: (active: boolean) => void };
let switches: { paused: boolean; leaderOverridden: boolean };
let leads: boolean;
let halted: boolean;
let byHand: SequencerByHand;

beforeEach(() => {
  node = new FakeNode([refOf(5)]);
  done = [];
  localNode = {
    isAbsent: false,
    notAsking: undefined,
    noteSequencer: (active) => void done.push(`active ${active}`),
  };
  switches = { paused: true, leaderOverridden: false };
  leads = true;
  halted = false;
  byHand = new SequencerByHand({
    ...{
      opNode: node.opNode,
      localNode,
      switches,
      logger: silent,
      leads: () => leads,
      isHalted: () => halted,
    },
    nodeOverride: { begin: async () => void done.push(`override, ${node.starts.length} starts`) },
  });
});

describe('a start by hand', () => {
  it('builds on the head that was seen, and asks for commits', async () => {
    await byHand.start(hashOf(5), false);
    expect({ starts: node.starts, done }).toEqual({ starts: [hashOf(5)], done: ['active true'] });
  });

  it('without consensus first sets the override of op-node', async () => {
    Object.assign(switches, { leaderOverridden: true });
    leads = false;
    // An operator's order, later than the halt of the cluster, which may have no quorum to end it.
    halted = true;
    localNode.notAsking = 'it was told so before';
    await byHand.start(hashOf(5), true);
    expect(done).toEqual(['override, 0 starts', 'active true']);
  });

  it.each<[string, string, boolean, () => void]>([
    ['not-paused', 'pause this conductor first', false, () => (switches.paused = false)],
    ['not-paused', 'pause this conductor first', true, () => (switches.paused = false)],
    ['not-leader', 'node is not the leader', false, () => (leads = false)],
    ['halted', 'the cluster is halted', false, () => (halted = true)],
    ['conductor-disabled', 'it publishes', false, () => (localNode.notAsking = 'it publishes')],
    ['not-overridden', 'set conductor_overrideLeader first', true, () => undefined],
    ['witness', 'has no sequencer', false, () => (localNode.isAbsent = true)],
  ])('is refused with %s: %s (without consensus: %s)', async (reason, text, alone, given) => {
    given();
    const refused = byHand.start(hashOf(5), alone);
    await expect(refused).rejects.toMatchObject({ reason, message: expect.stringContaining(text) });
    expect({ starts: node.starts, done }).toEqual({ starts: [], done: [] });
  });

  it('passes on the answer of op-node', async () => {
    await expect(byHand.start(hashOf(4), false)).rejects.toMatchObject({
      reason: 'backend-error',
      message: `op-node answers: ${hashMismatch(refOf(5), hashOf(4)).message}`,
    });
    node.faults.set(
      'startSequencer',
      new ClientError({ code: 'timeout', timeoutMs: 5000 }, 'admin_startSequencer', 'http://n', 'no answer'),
    );
    await expect(byHand.start(hashOf(5), false)).rejects.toMatchObject({ reason: 'backend-failed' });
    expect(done).toEqual([]);
  });
});

describe('a stop by hand', () => {
  it('returns where it stopped, or null if nothing ran', async () => {
    node.active = true;
    expect(await byHand.stop()).toBe(hashOf(5));
    expect(await byHand.stop()).toBeNull();
    expect(done).toEqual(['active false', 'active false']);
  });

  it('needs a paused conductor: another would start it again', async () => {
    node.active = true;
    switches.paused = false;
    await expect(byHand.stop()).rejects.toMatchObject({ reason: 'not-paused' });
    expect(node.active).toBe(true);
  });
});
