import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { silent } from '../testing/chain.js';
import { successor, viewOf } from '../testing/views.js';
import { ControlLoop, type Executor } from './control-loop.js';
import type { Action, View } from './decide.js';
import { Fitness } from './eligibility.js';

type Run = Parameters<Executor['run']>[0];

/** An action under way: the test ends it. */
interface Started {
  action: Run;
  signal: AbortSignal;
  succeed: () => void;
  fail: (message?: string) => void;
  atMs: number;
}

let view: View;
let started: Started[];
let loop: ControlLoop;

/** Ends each action at once when set. */
let auto: 'succeed' | 'fail' | undefined;

const executor: Executor = {
  view: () => view,
  run: (action, signal) =>
    new Promise((resolve, reject) => {
      const fail = (message = 'failed'): void => reject(new Error(message));
      started.push({ action, signal, succeed: resolve, fail, atMs: performance.now() });
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      if (auto === 'succeed') resolve();
      if (auto === 'fail') fail();
    }),
};

const base = viewOf({ role: 'leader', healthReason: 'sick' });

/** Changes the facts and tells the loop. */
function facts(changes: Partial<View>): void {
  view = { ...view, ...changes };
  loop.evaluate();
}

/** Lets settled promises have their effect; no time passes. */
const settle = (): Promise<void> => jest.advanceTimersByTimeAsync(0);
const types = (): Action['type'][] => started.map(({ action }) => action.type);
const last = (): Started => started.at(-1) as Started;
const pauses = (): number[] => started.slice(1).map(({ atMs }, at) => atMs - (started[at] as Started).atMs);

beforeEach(() => {
  jest.useFakeTimers();
  started = [];
  auto = undefined;
  view = base;
  loop = new ControlLoop(executor, silent);
});
afterEach(async () => {
  await loop.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('ControlLoop', () => {
  it('runs nothing when nothing is to be done', async () => {
    facts({ sequencerActive: true });
    await settle();
    expect(started).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('starts an action within the same call, without waiting for anything', () => {
    loop.evaluate();
    expect(types()).toEqual(['start']);
  });

  it('runs one action at a time, even when the facts change often', async () => {
    for (let change = 0; change < 5; change++) facts({ lagging: change % 2 === 0 });
    await jest.advanceTimersByTimeAsync(10_000);
    expect(types()).toEqual(['start']);
    expect(last().signal.aborted).toBe(false);
  });

  it('does the next due action by itself when one ends', async () => {
    loop.evaluate();
    view = { ...base, role: 'follower', sequencerActive: true };
    last().succeed();
    await settle();
    expect(types()).toEqual(['start', 'stop']);
  });

  it('survives an executor that throws at once', async () => {
    loop = new ControlLoop(
      {
        view: () => view,
        run: () => {
          started.push({ action: { type: 'stop', reason: '' }, atMs: performance.now() } as Started);
          throw new Error('at once');
        },
      },
      silent,
    );
    loop.evaluate();
    await jest.advanceTimersByTimeAsync(50);
    expect(started).toHaveLength(2);
  });

  describe('when the decision changes', () => {
    it('aborts the action, and begins the new one only after the old one has ended', async () => {
      const slow = new ControlLoop(
        {
          view: () => view,
          run: (action, signal) =>
            new Promise((resolve) => {
              started.push({ action, signal, succeed: resolve, fail: () => resolve(), atMs: 0 });
            }),
        },
        silent,
      );
      slow.evaluate();
      view = { ...base, role: 'follower', sequencerActive: true };
      slow.evaluate();
      await jest.advanceTimersByTimeAsync(5000);
      expect(started[0]?.signal.aborted).toBe(true);
      expect(types()).toEqual(['start']);
      started[0]?.succeed();
      await settle();
      expect(types()).toEqual(['start', 'stop']);
      last().succeed();
      await slow.stop();
    });

    it.each<[string, Partial<View>]>([
      ['leadership is lost', { role: 'follower' }],
      ['it is paused', { paused: true }],
      ['it is told to stop', { stopping: true }],
      ['somebody else has started the sequencer', { sequencerActive: true }],
    ])('aborts a start when %s', async (_, changes) => {
      loop.evaluate();
      facts(changes);
      await settle();
      expect(started[0]?.signal.aborted).toBe(true);
      expect(types()).toEqual(['start']);
    });

    it('aborts a transfer when the target changes, but not when only the reason changes', async () => {
      const successors = (...ids: string[]): Partial<View> => ({
        fitness: Fitness.impaired,
        successors: ids.map((id) => successor(id, Fitness.fit)),
      });
      facts(successors('b', 'c'));
      facts({ ...successors('b', 'c'), healthReason: 'sicker' });
      expect(last().signal.aborted).toBe(false);
      facts(successors('c', 'b'));
      expect(started[0]?.signal.aborted).toBe(true);
      await settle();
      expect(started.map(({ action }) => (action.type === 'transfer' ? action.to : ''))).toEqual(['b', 'c']);
    });

    it('does not count an aborted action as failed: it comes back at once', async () => {
      loop.evaluate();
      facts({ paused: true });
      await settle();
      facts({ paused: false });
      expect(types()).toEqual(['start', 'start']);
      expect(pauses()).toEqual([0]);
    });
  });

  describe('after a failure', () => {
    it('tries again by itself, with pauses that grow to one second', async () => {
      auto = 'fail';
      loop.evaluate();
      await jest.advanceTimersByTimeAsync(4600);
      expect(pauses()).toEqual([50, 100, 200, 400, 800, 1000, 1000, 1000]);
    });

    it('does not try sooner because a fact changed', async () => {
      auto = 'fail';
      loop.evaluate();
      for (let atMs = 0; atMs < 40; atMs += 2) {
        loop.evaluate();
        await jest.advanceTimersByTimeAsync(2);
      }
      expect(started).toHaveLength(1);
    });

    it('starts over with short pauses after a success', async () => {
      auto = 'fail';
      loop.evaluate();
      await jest.advanceTimersByTimeAsync(400);
      expect(pauses()).toEqual([50, 100, 200]);
      auto = 'succeed';
      await jest.advanceTimersByTimeAsync(360);
      auto = 'fail';
      await jest.advanceTimersByTimeAsync(200);
      expect(pauses().slice(3)).toEqual([400, 50, 50, 100]);
    });

    it('does another action without waiting', async () => {
      auto = 'fail';
      loop.evaluate();
      await settle();
      facts({ role: 'follower', sequencerActive: true });
      expect(types()).toEqual(['start', 'stop']);
    });

    it('tries again at once after an event that makes it worthwhile', async () => {
      auto = 'fail';
      loop.evaluate();
      await jest.advanceTimersByTimeAsync(750);
      const before = started.length;
      loop.forgetFailures();
      loop.evaluate();
      expect(started).toHaveLength(before + 1);
      await jest.advanceTimersByTimeAsync(50);
      expect(started).toHaveLength(before + 2);
    });

    it('does not repeat an action that is no longer needed', async () => {
      auto = 'fail';
      loop.evaluate();
      await settle();
      view = { ...base, sequencerActive: true };
      await jest.advanceTimersByTimeAsync(5000);
      expect(types()).toEqual(['start']);
    });
  });

  it('does not run in circles when an action succeeds but the facts do not show it yet', async () => {
    auto = 'succeed';
    loop.evaluate();
    for (let atMs = 0; atMs < 500; atMs += 5) {
      loop.evaluate();
      await jest.advanceTimersByTimeAsync(5);
    }
    expect(started.length).toBeLessThanOrEqual(11);
    expect(started.length).toBeGreaterThan(5);
  });

  describe('stop', () => {
    it('aborts the action and waits for its end', async () => {
      let end = (): void => undefined;
      const slow = new ControlLoop(
        {
          view: () => view,
          run: (action, signal) => {
            started.push({ action, signal } as Started);
            return new Promise((resolve) => (end = resolve));
          },
        },
        silent,
      );
      slow.evaluate();
      let over = false;
      const stopped = slow.stop().then(() => (over = true));
      await jest.advanceTimersByTimeAsync(10_000);
      expect(last().signal.aborted).toBe(true);
      expect(over).toBe(false);
      end();
      await stopped;
      slow.evaluate();
      await jest.advanceTimersByTimeAsync(10_000);
      expect(started).toHaveLength(1);
    });

    it('may be called twice, even at the same time', async () => {
      loop.evaluate();
      const both = Promise.all([loop.stop(), loop.stop()]);
      await settle();
      await both;
      await loop.stop();
    });

    it('ends the wait for another try', async () => {
      auto = 'fail';
      loop.evaluate();
      await settle();
      expect(jest.getTimerCount()).toBe(1);
      await loop.stop();
      expect(jest.getTimerCount()).toBe(0);
      await jest.advanceTimersByTimeAsync(10_000);
      expect(started).toHaveLength(1);
    });

    it('also takes effect without an action', async () => {
      await loop.stop();
      loop.evaluate();
      expect(started).toEqual([]);
    });
  });
});
