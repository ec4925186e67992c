import { describe, expect, it } from '@jest/globals';
import { Switches, type Pause, type PauseStore } from './switches.js';

/** A disk that takes its time: writes end, in their order, when the test says so. */
class SlowStore implements PauseStore {
  readonly written: (Pause | null)[] = [];
  private readonly waiting: (() => void)[] = [];

  constructor(public kept: Pause | null = null) {}

  async read(): Promise<Pause | null> {
    return this.kept;
  }

  async write(pause: Pause | null): Promise<void> {
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.kept = pause;
    this.written.push(pause);
  }

  async finishOne(): Promise<void> {
    this.waiting.shift()?.();
    await new Promise(setImmediate);
  }
}

async function switchesOn(store: PauseStore, paused = false): Promise<Switches> {
  const switches = new Switches({ paused });
  await switches.restore(store);
  return switches;
}

describe('Switches', () => {
  it('pauses at once, and has paused when it is on disk', async () => {
    const store = new SlowStore();
    const switches = await switchesOn(store);
    let done = false;
    const pausing = switches.setPause('conductor_pause').then(() => (done = true));
    expect(switches.paused).toBe(true);
    await new Promise(setImmediate);
    expect(done).toBe(false);
    await store.finishOne();
    await pausing;
    expect(store.kept).toMatchObject({ by: 'conductor_pause' });
  });

  it('goes on only when that is on disk', async () => {
    const store = new SlowStore({ by: 'bootstrap', sinceMs: 7 });
    const switches = await switchesOn(store);
    const ending = switches.endPause();
    await new Promise(setImmediate);
    expect(switches.paused).toBe(true);
    await store.finishOne();
    await ending;
    expect({ paused: switches.paused, kept: store.kept }).toEqual({ paused: false, kept: null });
  });

  it('a pause while another call ends one comes later, in memory and on disk', async () => {
    const store = new SlowStore({ by: 'bootstrap', sinceMs: 7 });
    const switches = await switchesOn(store);
    const ending = switches.endPause();
    const pausing = switches.setPause('conductor_pause');
    await store.finishOne();
    await ending;
    expect(switches.paused).toBe(true);
    await store.finishOne();
    await pausing;
    expect({ paused: switches.paused, kept: store.kept }).toMatchObject({ paused: true, kept: {} });
  });

  it('names who paused first, until somebody resumes', async () => {
    const kept: Pause = { by: 'bootstrap', sinceMs: 7 };
    const store = new SlowStore(kept);
    const switches = await switchesOn(store);
    const pausing = switches.setPause('conductor_pause');
    await store.finishOne();
    await pausing;
    expect(switches.pause).toEqual(kept);
    const ending = switches.endPause();
    await store.finishOne();
    await ending;
    const again = switches.setPause('conductor_pause');
    await store.finishOne();
    await again;
    expect(store.kept).toMatchObject({ by: 'conductor_pause' });
  });

  it('what the disk has goes before the flag, which is never written', async () => {
    const store = new SlowStore({ by: 'conductor_pause', sinceMs: 7 });
    expect((await switchesOn(store, true)).pause).toEqual({ by: 'conductor_pause', sinceMs: 7 });
    const flagged = await switchesOn(new SlowStore(), true);
    expect(flagged.pause).toMatchObject({ by: 'flag' });
  });

  it.each<[string, boolean, object | null]>([
    ['by nobody', false, null],
    ['by the flag', true, { by: 'flag' }],
  ])('without the cluster that was to be founded, is paused as before: %s', async (_, flagged, before) => {
    const store = new SlowStore();
    const switches = await switchesOn(store, flagged);
    const pausing = switches.setPause('bootstrap');
    await store.finishOne();
    await pausing;
    expect(switches.pause).toMatchObject({ by: 'bootstrap' });
    const ending = switches.foundedNothing();
    await store.finishOne();
    await ending;
    expect(store.kept).toBeNull();
    expect(switches.pause === null ? null : { by: switches.pause.by }).toEqual(before);
  });

  it('without the cluster that was to be founded, leaves what an operator decided meanwhile', async () => {
    const store = new SlowStore();
    const switches = await switchesOn(store);
    for (const by of ['bootstrap', 'conductor_pause'] as const) {
      const pausing = switches.setPause(by);
      await store.finishOne();
      await pausing;
    }
    await switches.foundedNothing();
    expect(switches.paused).toBe(true);
    const resuming = switches.endPause();
    await store.finishOne();
    await resuming;
    await switches.foundedNothing();
    expect(switches.paused).toBe(false);
  });

  it('a pause of an earlier founding stays: that cluster is there', async () => {
    const switches = await switchesOn(new SlowStore({ by: 'bootstrap', sinceMs: 7 }));
    await switches.foundedNothing();
    expect(switches.pause).toEqual({ by: 'bootstrap', sinceMs: 7 });
  });

  it.each<Pause['by']>(['flag', 'unreadable-file'])(
    'an operator confirms a pause by %s for good',
    async (by) => {
      const store = new SlowStore(by === 'flag' ? null : { by, sinceMs: 7 });
      const switches = await switchesOn(store, by === 'flag');
      const pausing = switches.setPause('conductor_pause');
      await store.finishOne();
      await pausing;
      expect(store.kept).toMatchObject({ by: 'conductor_pause' });
    },
  );

  it('stays as it was when the disk fails', async () => {
    const failing: PauseStore = {
      read: async () => ({ by: 'bootstrap', sinceMs: 7 }),
      write: () => Promise.reject(new Error('no space')),
    };
    const switches = await switchesOn(failing);
    await expect(switches.endPause()).rejects.toThrow('no space');
    expect(switches.paused).toBe(true);
  });
});
