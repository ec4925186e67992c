import { describe, expect, it, jest } from '@jest/globals';
import { Switches, type KeptSwitches, type LoggedPause, type Pause, type PauseStore } from './switches.js';

/** A slow disk: writes end, in order, when the test says so. */
class SlowStore implements PauseStore {
  others: Omit<KeptSwitches, 'paused'> = {};
  private readonly waiting: (() => void)[] = [];

  constructor(public kept: Pause | null = null) {}

  async read(): ReturnType<PauseStore['read']> {
    return { ...this.others, paused: this.kept };
  }

  async write({ paused, ...others }: KeptSwitches): Promise<void> {
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.kept = paused;
    this.others = others;
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
  it('pauses at once, and resolves when the pause is on disk', async () => {
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

  it('resumes only when that is on disk', async () => {
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

  it('names the first pause until an operator resumes', async () => {
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

  it('the pause on disk takes precedence over the flag, which is never written', async () => {
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

  it('without the cluster that was to be founded, keeps a decision that an operator made meanwhile', async () => {
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

  it('a pause of an earlier founding stays, because that cluster exists', async () => {
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

  it('stays unchanged when the disk fails', async () => {
    const failing: PauseStore = {
      read: async () => ({ paused: { by: 'bootstrap', sinceMs: 7 } }),
      write: () => Promise.reject(new Error('no space')),
    };
    const switches = await switchesOn(failing);
    await expect(switches.endPause()).rejects.toThrow('no space');
    expect(switches.paused).toBe(true);
  });

  describe('with pauses in the log', () => {
    const logged = (id: string, change: Partial<LoggedPause> = {}): LoggedPause => ({
      ...{ id, logIndex: 5, sinceMs: 7 },
      ...change,
    });
    const finish = async (store: SlowStore, done: Promise<void>): Promise<void> => {
      await store.finishOne();
      await done;
    };

    it('is paused by its own pause, that of its member and that of the cluster, each of which ends by itself', async () => {
      const store = new SlowStore({ by: 'bootstrap', sinceMs: 7 });
      const switches = await switchesOn(store);
      let inLog: { cluster?: LoggedPause; member?: LoggedPause } = {
        cluster: logged('c', { reason: 'L1 incident' }),
        member: logged('m', { owner: 'alice' }),
      };
      switches.follow(() => ({ cluster: undefined, member: undefined, appliedIndex: 9, ...inLog }));
      expect(switches.pause).toEqual({ by: 'bootstrap', sinceMs: 7 });
      await finish(store, switches.endPause());
      // The resume of this node ends the pause of its member as well, before the log knows.
      expect(switches.pause).toMatchObject({ by: 'cluster', id: 'c', reason: 'L1 incident' });
      expect(store.others.resumed).toEqual(['m']);
      inLog = { member: logged('another', { owner: 'alice' }) };
      expect(switches.pause).toMatchObject({ by: 'conductor_pause', id: 'another', owner: 'alice' });
      inLog = {};
      expect(switches.pause).toBeNull();
    });

    it('ends by the clock of this node', async () => {
      const store = new SlowStore();
      const switches = await switchesOn(store);
      const untilMs = Date.now() + 60_000;
      await finish(store, switches.setPause('conductor_pause', { untilMs, reason: 'upgrade' }));
      switches.follow(() => ({ cluster: logged('c', { untilMs }), member: undefined, appliedIndex: 9 }));
      expect(switches.pause).toMatchObject({ by: 'conductor_pause', untilMs, reason: 'upgrade' });
      const clock = jest.spyOn(Date, 'now').mockReturnValue(untilMs);
      try {
        expect([switches.pause, switches.own, switches.clusterPause]).toEqual([null, null, null]);
        expect(switches.unsettled.pause).toMatchObject({ untilMs });
      } finally {
        clock.mockRestore();
      }
    });

    it.each<[string, number | undefined, number | undefined, string]>([
      ['a longer one', 2000, undefined, 'second'],
      ['no shorter one', undefined, 2000, 'first'],
    ])('takes %s from whoever pauses a paused node', async (_, first, second, reason) => {
      const store = new SlowStore();
      const switches = await switchesOn(store);
      for (const [untilMs, why] of [
        [first, 'first'],
        [second, 'second'],
      ] as const) {
        const details = { reason: why, ...(untilMs && { untilMs: Date.now() + untilMs }) };
        await finish(store, switches.setPause('conductor_pause', details));
      }
      expect(switches.own?.reason).toBe(reason);
    });

    it('keeps the pause of the cluster, and follows it until the log has caught up', async () => {
      const store = new SlowStore();
      const before = await switchesOn(store);
      before.follow(() => ({ cluster: logged('c'), member: undefined, appliedIndex: 5 }));
      await finish(store, before.keepClusterPause());
      const after = await switchesOn(store);
      let appliedIndex = 4;
      after.follow(() => ({ cluster: undefined, member: undefined, appliedIndex }));
      expect(after.pause).toMatchObject({ by: 'cluster', id: 'c' });
      // A pause that the log has not reached does not count as ended.
      await after.keepClusterPause();
      expect(store.others.cluster?.id).toBe('c');
      appliedIndex = 6;
      expect(after.pause).toBeNull();
      await finish(store, after.keepClusterPause());
      expect(store.others.cluster).toBeUndefined();
    });

    it('is not undone by a note made while an operator resumes', async () => {
      const store = new SlowStore();
      const switches = await switchesOn(store);
      await finish(store, switches.setPause('conductor_pause'));
      const id = switches.own!.id!;
      const resuming = switches.endPause();
      await switches.noteRecorded(id, 5);
      await switches.adopt(logged('other'));
      await finish(store, resuming);
      expect([switches.pause, store.kept]).toEqual([null, null]);
      expect(store.others.resumed).toEqual([id]);
    });
  });
});
