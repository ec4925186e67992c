import { describe, expect, it } from '@jest/globals';
import { loadMutant } from '../simulator/mutants/load-mutant.js';
import { mutants } from '../simulator/mutants/mutants.js';
import { SMALL, type Bounds } from './bounds.js';
import { explore } from './explore.js';
import { STARTING_POINTS } from './starting-points.js';

const startingPoint = (name: string) => {
  const found = STARTING_POINTS.find((start) => start.name === name);
  if (!found) throw new Error(`no starting point is called ${name}`);
  return found;
};

describe('within small bounds, every state that the cores can reach', () => {
  it.each<[string, Partial<Bounds>, number]>([
    ['fresh', { depth: 10 }, 30_000],
    ['figure-8', { depth: 10 }, 40_000],
    ['stale-tail', { depth: 9 }, 20_000],
    ['fresh', { depth: 9, changes: 2 }, 15_000],
    ['newcomers', { depth: 10, changes: 1 }, 5_000],
    ['fresh', { depth: 8, duplicates: 1, failures: 1 }, 5_000],
    ['stale-tail', { depth: 8, compactions: 1, failures: 1 }, 10_000],
  ])('is safe: from %s, %j', (start, bounds, statesMin) => {
    const found = explore(startingPoint(start), { ...SMALL, ...bounds });
    expect(found.violation).toBeNull();
    expect(found.complete).toBe(true);
    // A model in which nothing can happen would be safe as well.
    expect(found.states).toBeGreaterThan(statesMin);
  });
});

describe('the model finds', () => {
  const duel = { elections: 1, proposals: 0, heartbeats: 0 };

  it.each<[string, string, Partial<Bounds>, RegExp]>([
    ['votes go to anybody, also twice in a term', 'fresh', duel, /^Election Safety/],
    ['votes and terms are spoken of before they are durable', 'fresh', duel, /^Election Safety/],
    ['an election is won without a majority', 'fresh', {}, /^Leader Completeness/],
    ['entries are acknowledged before they are durable', 'fresh', {}, /^Leader Completeness/],
    [
      'entries of an old term are committed by counting',
      'figure-8',
      { elections: 1 },
      /^Leader Completeness/,
    ],
    ['a refusal counts as an acknowledgement', 'figure-8', {}, /^Leader Completeness/],
    ['heartbeats carry the bare commit index', 'stale-tail', {}, /^State Machine Safety/],
    [
      'two changes of membership at a time',
      'fresh',
      { ...duel, changes: 2, crashes: 0 },
      /^Leader Completeness/,
    ],
    [
      'a replacement is decided by the new voters alone',
      'newcomers',
      { proposals: 0, changes: 1 },
      /^Leader Completeness/,
    ],
  ])('%s', async (name, start, bounds, property) => {
    const mutant = mutants.find((candidate) => candidate.name === name);
    if (!mutant) throw new Error(`no mutant is called ${name}`);
    const found = explore(
      startingPoint(start),
      { ...SMALL, statesMax: 200_000, ...bounds },
      await loadMutant(mutant),
    );
    expect(found.violation?.what).toMatch(property);
    // The shortest sequence, for a human.
    expect(found.violation?.events).toHaveLength(found.depth);
  });
});
