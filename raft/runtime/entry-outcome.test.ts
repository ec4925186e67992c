import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Fate } from '../core/outputs.js';
import { findEntryOutcome } from './entry-outcome.js';
import type { RaftNodeEvents } from './node-options.js';

const at = { index: 7, term: 3 };

function waiting() {
  const events = new EventEmitter<RaftNodeEvents>();
  const controller = new AbortController();
  const state = { fate: 'open' as Fate, isRunning: true };
  const node = { events, isRunning: () => state.isRunning, fateOf: () => state.fate };
  const outcome = findEntryOutcome(node, at, controller.signal);
  return { events, controller, state, outcome };
}

describe('the outcome of an entry', () => {
  it.each<[Fate, Record<string, unknown>]>([
    ['committed', { outcome: 'done', ...at }],
    ['replaced', { outcome: 'rejected', reason: 'superseded' }],
    ['forgotten', { outcome: 'unknown', at }],
  ])('is told once it is %s', async (fate, expected) => {
    const { events, state, outcome } = waiting();
    events.emit('committed', 1);
    state.fate = fate;
    events.emit('committed', 1);
    expect(await outcome).toMatchObject(expected);
    expect(events.listenerCount('committed')).toBe(0);
  });

  it('is unknown when the caller gives up, and can be requested again', async () => {
    const { controller, outcome } = waiting();
    controller.abort();
    expect(await outcome).toEqual({ outcome: 'unknown', reason: 'not decided in time', at });
  });

  it('is unknown when the node stops', async () => {
    const { events, state, outcome } = waiting();
    state.isRunning = false;
    events.emit('stopped');
    expect(await outcome).toEqual({ outcome: 'unknown', reason: 'this node stopped', at });
  });
});
