import type { Patch } from '../../../../raft/evidence/simulator/mutants/patched.js';

/**
 * What finds a mutant.
 *
 * - `seeds`: clusters with faults drawn from seeds.
 * - `scenario`: that course of events.
 * - `test`: a unit test of that file. For code that no simulated cluster uses, such as sockets and LevelDB, and for bugs
 *   that do harm only together with another bug.
 */
export type Hunter = { seeds: true } | { scenario: string } | { test: string };

/** A deliberate bug. If its hunter does not find it, the checks are worth nothing. */
export interface Mutant {
  name: string;
  hunter: Hunter;
  /** Files are named from the root of the repository. */
  patches: readonly Patch[];
}

export const bySeeds: Hunter = { seeds: true };
export const inScenario = (scenario: string): Hunter => ({ scenario });
export const inTest = (test: string): Hunter => ({ test });

/** A mutant that changes one text, which occurs once in the file, with any line breaks. */
export const mutant = (
  name: string,
  hunter: Hunter,
  file: string,
  find: string,
  replace: string,
): Mutant => ({ name, hunter, patches: [{ file, find, replace }] });
