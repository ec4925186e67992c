import { describe, expect, it } from '@jest/globals';
import { honestHost, type CoreHost } from './core-host.js';
import { loadMutant } from './mutants/load-mutant.js';
import { mutants } from './mutants/mutants.js';
import { runSeed } from './run.js';
import { followsThePaper } from '../paper/follows-the-paper.js';

/** The first seed that exposes it ends the search. */
const SEEDS_MAX = 40;

const run = (seed: number, chaosSteps: number, coreHost: CoreHost = honestHost) =>
  runSeed({ seed, chaosSteps, coreHost, observers: () => [followsThePaper()] });

describe('every step is one that the paper allows', () => {
  it.each([1, 2, 3, 4, 5])('in seed %i', (seed) => {
    const { violation, steps } = run(seed, 1000);
    expect(violation).toBeNull();
    expect(steps).toBeGreaterThan(1000);
  });
});

describe('the paper does not allow', () => {
  it.each([
    ['votes and terms are spoken of before they are durable', /a vote that is not on disk/],
    ['stepping down within a term clears the vote', /votes for null after/],
    ['a longer log wins over a newer one', /answers a pre-vote with true/],
    ['entries are acknowledged before they are durable', /acknowledges \d+, which is not on its disk/],
    ['entries of an old term are committed by counting', /commits an entry of an earlier term/],
    ['the leader counts its own memory instead of its disk', /without a majority/],
    ['a conflicting entry stays', /otherwise than figure 2 says/],
    ['the membership changes before a commit in the term', /before a commit in its term/],
    ['reads are confirmed by an earlier round', /without proof that it still leads/],
  ])('%s', async (name, reason) => {
    const mutant = mutants.find((candidate) => candidate.name === name);
    if (!mutant) throw new Error(`no mutant is called ${name}`);
    const coreHost = await loadMutant(mutant);
    let violation = null;
    for (let seed = 1; seed <= SEEDS_MAX && !violation; seed++) ({ violation } = run(seed, 2000, coreHost));
    expect(violation?.invariant).toBe('paper');
    expect(violation?.message).toMatch(reason);
  });
});
