import { afterEach, describe, expect, it } from '@jest/globals';
import { hashOf, payloadOf, refOf } from '../testing/chain.js';
import {
  conductorUnderTest,
  endConductors,
  poll,
  type ConductorUnderTest,
} from '../testing/conductor-under-test.js';
import { useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();
afterEach(endConductors);

/** A leader with the committed blocks 5 to 10, whose node also has 5 to 10. */
async function leading(): Promise<ConductorUnderTest> {
  const t = conductorUnderTest();
  await t.up();
  t.raft.lead();
  await poll();
  return t;
}

describe('resetHead', () => {
  it('takes the head back, and shows it', async () => {
    const t = await leading();
    await t.conductor.resetHead(refOf(8), 'alice: test', hashOf(10));
    expect(t.conductor.status().head).toEqual(refOf(8));
    expect(await t.conductor.latestUnsafePayload()).toEqual(payloadOf(refOf(8)).ssz);
  });

  it('to a block below the history shows a head without parent, timestamp and payload', async () => {
    const t = await leading();
    t.chain.dropUpTo(6);
    expect(t.chain.oldest?.number).toBe(10);
    await t.conductor.resetHead(refOf(5), 'alice: test');
    const { head, node } = t.conductor.status();
    expect(head).toEqual({ number: 5, hash: hashOf(5), parentHash: null, timestamp: null });
    expect(node.lagBlocks).toBe(-5);
    expect(await t.conductor.latestUnsafePayload()).toBeNull();
  });

  it('to a block below the history needs an execution client that has the block', async () => {
    const t = await leading();
    t.chain.dropUpTo(6);
    const refused = t.conductor.resetHead({ number: 5, hash: hashOf(5, 'b') }, 'alice: test');
    await expect(refused).rejects.toMatchObject({ reason: 'unknown-block' });
    await expect(refused).rejects.toThrow(`block 5 of the leader's execution client is ${hashOf(5)}`);
    await expect(t.conductor.resetHead(refOf(3), 'alice: test')).rejects.toThrow('is none');
    t.node.faults.set('blockByNumber', new Error('no route'));
    await expect(t.conductor.resetHead(refOf(5), 'alice: test')).rejects.toThrow('unavailable (no route)');
    expect(t.chain.head?.number).toBe(10);
  });

  it('refuses if the head is not the one that was seen', async () => {
    const t = await leading();
    await expect(t.conductor.resetHead(refOf(8), 'alice: test', hashOf(9))).rejects.toMatchObject({
      reason: 'head-changed',
    });
    expect(t.chain.head?.number).toBe(10);
  });

  it('needs a leader and a chain with blocks', async () => {
    const t = conductorUnderTest();
    await expect(t.conductor.resetHead(refOf(8), 'alice: test')).rejects.toMatchObject({
      message: 'node is not the leader',
      reason: 'not-leader',
    });
    const led = await leading();
    led.chain.startFrom(undefined);
    await expect(led.conductor.resetHead(refOf(8), 'alice: test')).rejects.toThrow(
      'nothing is committed yet',
    );
  });
});
