import { isDeepStrictEqual } from 'node:util';
import { runSeed, type RunResult, type RunSettings } from './run.js';
import { simplifications, simplified } from './simplify.js';

/** Other courses of the same cluster: with less in it, the old course may miss the failure by accident. */
const WORLDS_TRIED = 4;
const RUNS_MAX = 600;

export interface Shrunk {
  settings: RunSettings;
  result: RunResult;
  runs: number;
}

/**
 * Looks for the smallest run that breaks the same invariant: takes out faults, nodes and requests one at a time for
 * as long as it still fails, and shortens the chaos.
 */
export function shrink(settings: RunSettings, result: RunResult): Shrunk {
  const invariant = result.violation?.invariant;
  let best: Shrunk = { settings, result, runs: 0 };
  let runs = 0;

  function improves(change: Partial<RunSettings>): boolean {
    const { seed, world = seed } = best.settings;
    for (let shift = 0; shift < WORLDS_TRIED && runs < RUNS_MAX; shift++) {
      const candidate: RunSettings = { ...best.settings, ...change, world: world + shift };
      runs += 1;
      const found = runSeed(candidate);
      if (found.violation?.invariant !== invariant) continue;
      best = { settings: candidate, result: found, runs };
      return true;
    }
    return false;
  }

  function shorten(): void {
    for (const part of [0.1, 0.3, 0.5, 0.7, 0.9]) {
      while (
        best.settings.chaosSteps > 0 &&
        improves({ chaosSteps: Math.floor(best.settings.chaosSteps * part) })
      );
    }
  }

  function takeOut(): boolean {
    let any = false;
    for (const name of Object.keys(simplifications)) {
      const without = best.settings.without ?? [];
      if (isDeepStrictEqual(best.result.options, simplified(best.result.options, [name]))) continue;
      if (improves({ without: [...without, name] })) any = true;
    }
    return any;
  }

  shorten();
  while (takeOut() && runs < RUNS_MAX);
  shorten();
  return { ...best, runs };
}
