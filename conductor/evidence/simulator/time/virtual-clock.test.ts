import { afterEach, describe, expect, it } from '@jest/globals';
import { Prng } from '../../../../raft/testing/prng.js';
import { EPOCH_MS, VirtualClock } from './virtual-clock.js';

describe('virtual time', () => {
  let giveBack = (): void => undefined;
  afterEach(() => giveBack());

  function install(seed = 1): VirtualClock {
    const clock = new VirtualClock(new Prng(seed));
    giveBack = clock.install();
    return clock;
  }

  it('passes only from event to event, and timers fire in their order', async () => {
    const clock = install();
    const fired: [string, number][] = [];
    const note = (what: string) => (): void => void fired.push([what, performance.now()]);
    setTimeout(note('late'), 5000);
    setTimeout(note('soon'), 10);
    setTimeout(note('soon, too'), 10);
    setImmediate(note('at once'));
    clearTimeout(setTimeout(note('never'), 20));
    await clock.runUntil(6000);
    expect(fired).toEqual([
      ['at once', 0],
      ['soon', 10],
      ['soon, too', 10],
      ['late', 5000],
    ]);
    expect(Date.now()).toBe(EPOCH_MS + 6000);
  });

  it('lets all pending promises settle before the next event', async () => {
    const clock = install();
    const seen: string[] = [];
    setTimeout(() => {
      void (async () => {
        for (let step = 0; step < 50; step++) await Promise.resolve();
        process.nextTick(() => seen.push('after fifty promises'));
      })();
    }, 1);
    setTimeout(() => seen.push('the next timer'), 1);
    await clock.runUntil(2);
    expect(seen).toEqual(['after fifty promises', 'the next timer']);
  });

  it('repeats intervals until they are cleared', async () => {
    const clock = install();
    let count = 0;
    const timer = setInterval(() => {
      count += 1;
      if (count === 3) clearInterval(timer);
    }, 100);
    await clock.runUntil(1000);
    expect(count).toBe(3);
  });

  it('draws from the seed', () => {
    install(7);
    const first = [Math.random(), Math.random()];
    giveBack();
    install(7);
    expect([Math.random(), Math.random()]).toEqual(first);
  });

  it('ends when the process gets its real time back', () => {
    install();
    giveBack();
    expect(Math.abs(Date.now() - EPOCH_MS)).toBeGreaterThan(1e9);
  });

  it('ends early when told to', async () => {
    const clock = install();
    let count = 0;
    setInterval(() => (count += 1), 10);
    await clock.runUntil(1000, () => count === 5);
    expect(performance.now()).toBe(50);
  });
});
