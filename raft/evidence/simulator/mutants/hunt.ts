import { runSeed, type RunResult } from '../run.js';
import { loadMutant } from './load-mutant.js';
import type { Mutant } from './mutants.js';

/** Runs seed after seed until one exposes the mutant; undefined when none of the first `within` does. */
export async function hunt(
  mutant: Mutant,
  chaosSteps: number,
  within: number,
): Promise<RunResult | undefined> {
  const coreHost = await loadMutant(mutant);
  for (let seed = 1; seed <= within; seed++) {
    const result = runSeed({ seed, chaosSteps, coreHost });
    if (result.violation) return result;
  }
  return undefined;
}
