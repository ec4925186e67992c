import { commitMutants } from './commit-mutants.js';
import { controlMutants } from './control-mutants.js';
import type { Mutant } from './mutant.js';
import { runtimeMutants } from './runtime-mutants.js';
import { storageMutants } from './storage-mutants.js';
import { transportMutants } from './transport-mutants.js';

export const mutants: readonly Mutant[] = [
  ...commitMutants,
  ...controlMutants,
  ...runtimeMutants,
  ...transportMutants,
  ...storageMutants,
];

/** @throws Error for an unknown name */
export function mutantNamed(name: string): Mutant {
  const found = mutants.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no mutant is called ${name}`);
  return found;
}
