import { runSeed, type RunResult } from '../run.js';
import { loadMutant } from './load-mutant.js';
import { SEEDS_MAX, type Mutant } from './mutants.js';

/** Runs seed after seed until one shows the mutant; undefined when none does. */
export async function hunt(mutant: Mutant, chaosSteps: number): Promise<RunResult | undefined> {
  const hosting = await loadMutant(mutant);
  for (let seed = 1; seed <= (mutant.rareWithin ?? SEEDS_MAX); seed++) {
    const result = runSeed({ seed, chaosSteps, hosting });
    if (result.violation) return result;
  }
  return undefined;
}
