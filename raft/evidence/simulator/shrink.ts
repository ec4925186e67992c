import { isDeepStrictEqual } from 'node:util';
import type { Violation } from '../checks/violation.js';
import type { Simplification } from './simplification.js';
import { simplifiedBy } from './simplification.js';

/** Other courses to try with the same cluster: with less in it, the old course may miss the failure by accident. */
const WORLDS_TRIED = 4;
const RUNS_MAX = 600;

/** The parts of a run that can be made smaller. */
interface Settings {
  seed: number;
  /** The seed, if absent. */
  world?: number;
  chaosSteps: number;
  without?: readonly string[];
}

interface Result<Options> {
  options: Options;
  violation: Violation | null | undefined;
}

/** How to run a simulator again with less. */
interface Smaller<S, R, Options> {
  run: (settings: S) => R | Promise<R>;
  simplifications: Readonly<Record<string, Simplification<Options>>>;
  /** Maximum number of runs. */
  runsMax?: number;
}

export interface Shrunk<S, R> {
  settings: S;
  result: R;
  runs: number;
}

/**
 * Searches for the smallest run that breaks the same invariant: removes faults, nodes and requests one at a time while the
 * run still fails, and shortens the chaos.
 */
export async function shrink<Options, S extends Settings, R extends Result<Options>>(
  settings: S,
  result: R,
  { run, simplifications, runsMax = RUNS_MAX }: Smaller<S, R, Options>,
): Promise<Shrunk<S, R>> {
  const invariant = result.violation?.invariant;
  let best: Shrunk<S, R> = { settings, result, runs: 0 };
  let runs = 0;

  async function improves(change: Partial<Settings>): Promise<boolean> {
    const { seed, world = seed } = best.settings;
    for (let shift = 0; shift < WORLDS_TRIED && runs < runsMax; shift++) {
      const candidate: S = { ...best.settings, ...change, world: world + shift };
      runs += 1;
      const found = await run(candidate);
      if (found.violation?.invariant !== invariant) continue;
      best = { settings: candidate, result: found, runs };
      return true;
    }
    return false;
  }

  async function shorten(): Promise<void> {
    for (const part of [0.1, 0.3, 0.5, 0.7, 0.9]) {
      while (
        best.settings.chaosSteps > 0 &&
        (await improves({ chaosSteps: Math.floor(best.settings.chaosSteps * part) }))
      );
    }
  }

  async function takeOut(): Promise<boolean> {
    let any = false;
    for (const name of Object.keys(simplifications)) {
      const { options } = best.result;
      if (isDeepStrictEqual(options, simplifiedBy(simplifications, options, [name]))) continue;
      if (await improves({ without: [...(best.settings.without ?? []), name] })) any = true;
    }
    return any;
  }

  await shorten();
  while ((await takeOut()) && runs < runsMax);
  await shorten();
  return { ...best, runs };
}
