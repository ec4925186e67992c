import type { Patch } from '../../../../raft/evidence/simulator/mutants/patched.js';

/**
 * What finds a mutant.
 *
 * - `seeds`: clusters with faults drawn from seeds.
 * - `scenario`: that course of events.
 * - `test`: a unit test of that file. It stands for what no simulated cluster passes through, as sockets and LevelDB, and
 *   for what does harm only in the company of another bug.
 */
export type Hunter = { seeds: true } | { scenario: string } | { test: string };

/** A deliberate bug, which its hunter must find, or the checks are worth nothing. */
export interface Mutant {
  name: string;
  hunter: Hunter;
  /** Files are named from the root of the repository. */
  patches: readonly Patch[];
}

export const bySeeds: Hunter = { seeds: true };
export const inScenario = (scenario: string): Hunter => ({ scenario });
export const inTest = (test: string): Hunter => ({ test });

/** A mutant that changes one text, which occurs once in the file, wherever its lines break. */
export const mutant = (
  name: string,
  hunter: Hunter,
  file: string,
  find: string,
  replace: string,
): Mutant => ({ name, hunter, patches: [{ file, find, replace }] });
