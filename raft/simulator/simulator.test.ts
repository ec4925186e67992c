import { describe, expect, it } from '@jest/globals';
import { faithfulHosting } from './hosting.js';
import { hunt } from './mutants/hunt.js';
import { mutants } from './mutants/mutants.js';
import { runSeed, type RunResult } from './run.js';

const SEEDS = 150;
const CHAOS_STEPS = 4000;

const results: RunResult[] = [];
const total = (of: (result: RunResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0);

describe('simulated clusters', () => {
  it(`keep every invariant in ${SEEDS} seeds of chaos, and recover`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const result = runSeed({ seed, chaosSteps: CHAOS_STEPS });
      results.push(result);
      if (!result.violation) continue;
      const command = `node --import tsx raft/simulator/main.ts --seed ${seed} --steps ${CHAOS_STEPS}`;
      throw new Error(`seed ${seed}: ${result.violation.message}\nreplay: ${command}`);
    }
  });

  // A run that never met a fault proves nothing.
  it.each([
    'crash',
    'pause',
    'suspended machine',
    'slow disk',
    'clogged links',
    'partition: isolate',
    'partition: one-way split',
    'message lost',
    'message repeated',
    'message very late',
    'evidence of death',
    'restart of all',
    'stays dead',
    'stays deaf',
    'stays mute',
    'ask: read',
    'ask: transfer',
    'ask: membership',
    'event: leaderReady',
    'event: configuration',
    'event: snapshotInstalled',
  ])('met: %s', (what) => {
    expect(total(({ counts }) => counts.get(what) ?? 0)).toBeGreaterThan(10);
  });

  it('committed entries, and changed leaders often', () => {
    expect(total((result) => result.committed)).toBeGreaterThan(5_000);
    expect(total(({ counts }) => counts.get('event: leaderReady') ?? 0)).toBeGreaterThan(1_000);
  });
});

describe('determinism (I23)', () => {
  const run = (seed: number): number => runSeed({ seed, chaosSteps: CHAOS_STEPS }).traceHash;

  it('gives the same trace for the same seed', () => {
    for (let seed = 1; seed <= 10; seed++) expect(run(seed)).toBe(results[seed - 1]?.traceHash);
  });

  it('gives another trace for another seed', () => {
    expect(new Set(results.map((result) => result.traceHash)).size).toBe(SEEDS);
  });

  it('notices a core that is not deterministic', () => {
    const unsteady = {
      ...faithfulHosting,
      createCore: (...args: Parameters<typeof faithfulHosting.createCore>) => {
        const core = faithfulHosting.createCore(...args);
        const step = core.step.bind(core);
        core.step = (input) => step({ ...input, random: Math.random() });
        return core;
      },
    };
    const hashes = [1, 2].map(
      () => runSeed({ seed: 1, chaosSteps: CHAOS_STEPS, hosting: unsteady }).traceHash,
    );
    expect(hashes[0]).not.toBe(hashes[1]);
  });
});

describe('the checks find', () => {
  const common = mutants.filter((mutant) => mutant.rareWithin === undefined);

  it.each(common.map((mutant) => [mutant.name, mutant] as const))('%s', async (_, mutant) => {
    expect((await hunt(mutant, CHAOS_STEPS))?.violation).toBeDefined();
  });
});
