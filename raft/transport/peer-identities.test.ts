import { describe, expect, it } from '@jest/globals';
import { PeerIdentities, type PeerIdentity, type Standing } from './peer-identities.js';

const peer: PeerIdentity = { id: 'b', incarnation: 'b1'.repeat(16) };

/** Identities; the test says which process answers at the peer's address. */
class Setup {
  now = 0;
  resident: string | undefined;
  isMember = true;
  asked = 0;
  readonly restarted: string[] = [];
  usedTwice = 0;
  unproven = 0;
  readonly identities = new PeerIdentities({
    isMember: () => this.isMember,
    ask: async () => {
      this.asked += 1;
      return this.resident;
    },
    onRestarted: (id) => void this.restarted.push(id),
    onUsedTwice: () => void (this.usedTwice += 1),
    onUnproven: () => void (this.unproven += 1),
    now: () => this.now,
  });

  standing(bootId: string, by: 'request' | 'answer' = 'request'): Standing | Promise<Standing> {
    return this.identities.standing(peer, bootId, by);
  }

  /** The process of this boot lives at the member's address and has spoken. */
  async settled(bootId: string): Promise<this> {
    this.resident = bootId;
    expect(await this.standing(bootId)).toBe('counts');
    return this;
  }
}

describe('a process that speaks for a peer', () => {
  it('counts at once when it is known, or answered at the address', async () => {
    const setup = new Setup();
    expect(setup.standing('one', 'answer')).toBe('counts');
    expect(setup.standing('one')).toBe('counts');
    expect([setup.asked, setup.restarted]).toEqual([0, []]);
    expect(setup.standing('two', 'answer')).toBe('counts');
    expect([setup.asked, setup.restarted]).toEqual([0, ['b']]);
  });

  it('is looked up the first time, so that a copy that speaks first does not count', async () => {
    const setup = new Setup();
    setup.resident = 'one';
    expect(await setup.standing('copy')).toBe('used-twice');
    expect(setup.identities.bootId(peer)).toBe('one');
    expect(setup.standing('one')).toBe('counts');
    expect(setup.restarted).toEqual([]);
  });

  it('has restarted when it answers at the address, with one look-up for all its messages meanwhile', async () => {
    const setup = await new Setup().settled('one');
    setup.resident = 'two';
    setup.asked = 0;
    expect(await Promise.all([setup.standing('two'), setup.standing('two')])).toEqual(['counts', 'counts']);
    expect([setup.asked, setup.restarted, setup.usedTwice]).toEqual([1, ['b'], 0]);
  });

  it('does not count while nobody answers at the address, and counts as soon as it does', async () => {
    const setup = new Setup();
    expect(await setup.standing('one')).toBe('unproven');
    setup.now += 200;
    expect(setup.standing('one')).toBe('unproven');
    expect(setup.asked).toBe(1);
    setup.resident = 'one';
    setup.now += 50;
    expect(await setup.standing('one')).toBe('counts');
    setup.resident = undefined;
    expect(await setup.standing('two')).toBe('unproven');
    expect(setup.identities.bootId(peer)).toBe('one');
    expect(setup.standing('two', 'answer')).toBe('counts');
    expect([setup.restarted, setup.usedTwice, setup.unproven]).toEqual([['b'], 0, 0]);
    // Messages of the dead one come late.
    expect(await setup.standing('one')).toBe('unproven');
    setup.resident = 'two';
    expect(await setup.standing('one', 'answer')).toBe('unproven');
    setup.now += 250;
    expect(await setup.standing('one', 'answer')).toBe('used-twice');
    expect(setup.standing('two')).toBe('counts');
    expect([setup.restarted, setup.usedTwice, setup.unproven]).toEqual([['b'], 0, 0]);
  });

  it('is reported once when it goes on without an answer at the address', async () => {
    const setup = await new Setup().settled('one');
    setup.resident = undefined;
    for (let count = 0; count < 10; count++) {
      expect(await setup.standing('two')).toBe('unproven');
      expect(setup.unproven).toBe(count < 2 ? 0 : 1);
      setup.now += 500;
    }
    expect([setup.restarted, setup.usedTwice]).toEqual([[], 0]);
    setup.resident = 'one';
    expect(await setup.standing('two')).toBe('used-twice');
    expect(setup.usedTwice).toBe(1);
  });

  it('is believed when it belongs to no member, because there is no address to ask', () => {
    const setup = new Setup();
    setup.isMember = false;
    expect(['one', 'two', 'one'].map((bootId) => setup.standing(bootId))).toEqual([
      'counts',
      'counts',
      'counts',
    ]);
    expect([setup.asked, setup.restarted, setup.usedTwice]).toEqual([0, ['b'], 0]);
  });
});

describe('two processes on copies of one disk', () => {
  it('raise one alarm, and only the one at the address counts', async () => {
    const setup = await new Setup().settled('one');
    expect(await setup.standing('copy')).toBe('used-twice');
    setup.now += 500;
    expect([setup.standing('copy'), setup.standing('one')]).toEqual(['used-twice', 'counts']);
    expect(setup.usedTwice).toBe(0);
    for (let count = 0; count < 10; count++) {
      setup.now += 500;
      expect(await setup.standing('copy')).toBe('used-twice');
      expect(setup.standing('one')).toBe('counts');
    }
    expect([setup.usedTwice, setup.restarted]).toEqual([1, []]);
    expect(setup.asked).toBeLessThan(8);
  });

  it('raise an alarm when the first one, which was silent, returns and counts again', async () => {
    const setup = await new Setup().settled('one');
    await setup.settled('copy');
    setup.resident = 'one';
    expect(await setup.standing('one')).toBe('counts');
    expect([setup.usedTwice, setup.restarted]).toEqual([1, ['b']]);
    expect(await setup.standing('copy')).toBe('used-twice');
  });

  it('raise an alarm when both answer at one address', async () => {
    const setup = await new Setup().settled('one');
    expect(setup.standing('copy', 'answer')).toBe('counts');
    expect(await setup.standing('one', 'answer')).toBe('counts');
    expect(setup.usedTwice).toBe(1);
  });

  it('are distinguished from a process that replaced the other', async () => {
    const setup = await new Setup().settled('one');
    expect(await setup.standing('copy')).toBe('used-twice');
    setup.resident = undefined;
    setup.now += 1000;
    expect(await setup.standing('copy')).toBe('unproven');
    setup.resident = 'three';
    setup.now += 1000;
    expect(await setup.standing('copy')).toBe('used-twice');
    expect(setup.identities.bootId(peer)).toBe('three');
    expect(setup.restarted).toEqual(['b']);
  });
});

describe('earlier processes', () => {
  it('are forgotten, the oldest first', async () => {
    const setup = new Setup();
    for (let boot = 0; boot < 100; boot++) await setup.standing(`${boot}`, 'answer');
    expect(setup.identities['known'].values().next().value?.others.size).toBe(16);
    expect(setup.restarted).toHaveLength(99);
  });
});

describe('the doubts', () => {
  /** A copy speaks every half second, for this long. */
  const copySpeaks = async (setup: Setup, forMs: number): Promise<void> => {
    for (const endMs = setup.now + forMs; setup.now <= endMs; setup.now += 500) await setup.standing('copy');
  };

  it('are empty while messages of a dead process may still arrive', async () => {
    const setup = await new Setup().settled('one');
    await setup.standing('copy');
    expect(setup.identities.doubts()).toEqual([]);
  });

  it.each<[string, string | undefined]>([
    ['used-twice', 'one'],
    ['unproven', undefined],
  ])('say that the identity is %s as long as a copy speaks', async (doubt, resident) => {
    const setup = await new Setup().settled('one');
    setup.resident = resident;
    await copySpeaks(setup, 2000);
    expect(setup.identities.doubts()).toEqual([{ id: 'b', doubt }]);
    setup.now += 6000;
    expect(setup.identities.doubts()).toEqual([]);
  });
});
