import type { RealNetwork } from './network.js';

/** What a scenario works with. */
export interface Stage {
  network: RealNetwork;
  /** Prints one plain line below the scenario's name. */
  say: (line: string) => void;
}

/** Deadline of every step's condition: far beyond what any needs, because no times are asserted. */
export const DEADLINE_MS = 120_000;

/** Runs one step, prints what it was and how long it took, and returns its result. */
export async function step<T>(say: Stage['say'], what: string, run: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await run();
  say(`${what}: ${inSeconds(performance.now() - startedAt)}`);
  return result;
}

export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}
