import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { expectCommitted } from '../../testing/committed-text.js';
import { mutants } from '../simulator/mutants/mutants.js';
import { renderCatalogue } from './dsl/catalogue.js';
import { catalogue, loadScenarios } from './dsl/scenario.js';
import { orphans } from './dsl/transcript.js';

await loadScenarios('votes.ts', () => import('./votes.js'));
await loadScenarios('elections.ts', () => import('./elections.js'));
await loadScenarios('replication.ts', () => import('./replication.js'));
await loadScenarios('membership.ts', () => import('./membership.js'));
await loadScenarios('transfer.ts', () => import('./transfer.js'));
await loadScenarios('time-and-reads.ts', () => import('./time-and-reads.js'));
await loadScenarios('snapshots-and-clients.ts', () => import('./snapshots-and-clients.js'));
await loadScenarios('real-storage.ts', () => import('./real-storage.js'));
await loadScenarios('real-network.ts', () => import('./real-network.js'));
await loadScenarios('without-scenario.ts', () => import('./without-scenario.js'));

/** Bugs in the catalogue. */
const BUGS = 71;

describe('the catalogue of bugs', () => {
  it('has a scenario for each bug, or a reason why there is none', () => {
    const numbers = new Set(catalogue.map(({ bug }) => bug));
    expect([...numbers].sort((x, y) => x - y)).toEqual(Array.from({ length: BUGS }, (_, i) => i + 1));
  });

  it('has every bug that a mutant of the simulator puts back', () => {
    const numbers = new Set(catalogue.map(({ bug }) => bug));
    expect(mutants.filter(({ bug }) => bug !== undefined && !numbers.has(bug))).toEqual([]);
  });

  it('is CATALOGUE.md, to the letter', () => {
    expectCommitted(fileURLToPath(new URL('./CATALOGUE.md', import.meta.url)), renderCatalogue(catalogue));
  });

  it('says where each is guarded against, in existing files, or why it cannot happen', () => {
    const answered = catalogue.filter(({ guardedIn = [], reason }) => guardedIn.length > 0 || reason);
    const numbers = new Set(answered.map(({ bug }) => bug));
    expect(catalogue.filter(({ bug }) => !numbers.has(bug))).toEqual([]);
    const places = catalogue.flatMap(({ guardedIn = [] }) => guardedIn);
    const isGone = (place: string): boolean => !existsSync(new URL(`../../${place}`, import.meta.url));
    expect(places.filter(isGone)).toEqual([]);
  });
});

describe('the transcripts', () => {
  it('all belong to an existing scenario', () => {
    expect(orphans()).toEqual([]);
  });
});
