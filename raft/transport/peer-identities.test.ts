import { describe, expect, it } from '@jest/globals';
import { PeerIdentities, type PeerIdentity } from './peer-identities.js';

const peer: PeerIdentity = { id: 'b', incarnation: 'b1'.repeat(16) };

/** Identities whose peer's address is answered by whoever the test says. */
class Setup {
  now = 0;
  resident: string | undefined;
  isMember = true;
  asked = 0;
  readonly restarted: string[] = [];
  usedTwice = 0;
  readonly identities = new PeerIdentities({
    isMember: () => this.isMember,
    ask: async () => {
      this.asked += 1;
      return this.resident;
    },
    onRestarted: (id) => void this.restarted.push(id),
    onUsedTwice: () => void (this.usedTwice += 1),
    now: () => this.now,
  });

  counts(bootId: string, by: 'request' | 'answer' = 'request'): boolean | Promise<boolean> {
    return this.identities.counts(peer, bootId, by);
  }

  /** The process of this boot lives at the member's address and has spoken. */
  async settled(bootId: string): Promise<this> {
    this.resident = bootId;
    expect(await this.counts(bootId)).toBe(true);
    return this;
  }
}

describe('a process that speaks for a peer', () => {
  it('counts at once when it is known, or answered at the address', async () => {
    const setup = new Setup();
    expect(setup.counts('one', 'answer')).toBe(true);
    expect(setup.counts('one')).toBe(true);
    expect([setup.asked, setup.restarted]).toEqual([0, []]);
    expect(setup.counts('two', 'answer')).toBe(true);
    expect([setup.asked, setup.restarted]).toEqual([0, ['b']]);
  });

  it('is looked up the first time, so that a copy which speaks first does not count', async () => {
    const setup = new Setup();
    setup.resident = 'one';
    expect(await setup.counts('copy')).toBe(false);
    expect(setup.identities.bootId(peer)).toBe('one');
    expect(setup.counts('one')).toBe(true);
    expect(setup.restarted).toEqual([]);
  });

  it('has restarted when it answers at the address, one question for all that it says meanwhile', async () => {
    const setup = await new Setup().settled('one');
    setup.resident = 'two';
    setup.asked = 0;
    expect(await Promise.all([setup.counts('two'), setup.counts('two')])).toEqual([true, true]);
    expect([setup.asked, setup.restarted, setup.usedTwice]).toEqual([1, ['b'], 0]);
  });

  it('has restarted elsewhere when nobody answers at the address', async () => {
    const setup = await new Setup().settled('one');
    setup.resident = undefined;
    expect(await setup.counts('two')).toBe(true);
    expect([setup.restarted, setup.usedTwice]).toEqual([['b'], 0]);
    // What the dead one had sent comes late.
    expect(await setup.counts('one')).toBe(false);
    expect([setup.restarted, setup.usedTwice]).toEqual([['b'], 0]);
    expect(setup.counts('two')).toBe(true);
  });

  it('is believed when it belongs to no member: there is no address to ask', () => {
    const setup = new Setup();
    setup.isMember = false;
    expect(['one', 'two', 'one'].map((bootId) => setup.counts(bootId))).toEqual([true, true, true]);
    expect([setup.asked, setup.restarted, setup.usedTwice]).toEqual([0, ['b'], 0]);
  });
});

describe('two processes on copies of one disk', () => {
  it('are an alarm, once, and only the one at the address counts', async () => {
    const setup = await new Setup().settled('one');
    expect(await setup.counts('copy')).toBe(false);
    setup.now += 500;
    expect([setup.counts('copy'), setup.counts('one')]).toEqual([false, true]);
    expect(setup.usedTwice).toBe(0);
    for (let count = 0; count < 10; count++) {
      setup.now += 500;
      expect(await setup.counts('copy')).toBe(false);
      expect(setup.counts('one')).toBe(true);
    }
    expect([setup.usedTwice, setup.restarted]).toEqual([1, []]);
    expect(setup.asked).toBeLessThan(8);
  });

  it('are an alarm when the first one returns, which was silent and counts again', async () => {
    const setup = await new Setup().settled('one');
    setup.resident = undefined;
    expect(await setup.counts('copy')).toBe(true);
    setup.resident = 'one';
    expect(await setup.counts('one')).toBe(true);
    expect([setup.usedTwice, setup.restarted]).toEqual([1, ['b']]);
    expect(await setup.counts('copy')).toBe(false);
  });

  it('are an alarm when both answer at one address', async () => {
    const setup = await new Setup().settled('one');
    expect(setup.counts('copy', 'answer')).toBe(true);
    expect(await setup.counts('one', 'answer')).toBe(true);
    expect(setup.usedTwice).toBe(1);
  });

  it('are told from one that took the place of the other meanwhile', async () => {
    const setup = await new Setup().settled('one');
    expect(await setup.counts('copy')).toBe(false);
    setup.resident = undefined;
    setup.now += 1000;
    expect(await setup.counts('copy')).toBe(false);
    setup.resident = 'three';
    setup.now += 1000;
    expect(await setup.counts('copy')).toBe(false);
    expect(setup.identities.bootId(peer)).toBe('three');
    expect(setup.restarted).toEqual(['b']);
  });
});

describe('processes of another time', () => {
  it('are forgotten, the oldest first', async () => {
    const setup = new Setup();
    for (let boot = 0; boot < 100; boot++) await setup.counts(`${boot}`, 'answer');
    expect(setup.identities['known'].values().next().value?.others.size).toBe(16);
    expect(setup.restarted).toHaveLength(99);
  });
});
