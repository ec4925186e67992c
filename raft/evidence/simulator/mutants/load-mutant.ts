import { honestHost, type CoreHost } from '../core-host.js';
import { loadCore } from '../load-core.js';
import { withoutMarks } from '../soak/marks.js';
import type { Mutant } from './mutants.js';
import { patched } from './patched.js';

/**
 * Builds the core with the mutant's fault in it.
 * @throws Error when the mutant is out of date: a file is gone, or a text to replace does not occur exactly once
 */
export async function loadMutant(mutant: Mutant): Promise<CoreHost> {
  const coreHost: CoreHost = { ...honestHost, ...mutant.coreHost };
  const { patches } = mutant;
  if (!patches) return coreHost;
  const filesSeen = new Set<string>();
  const createCore = await loadCore((name, original) => {
    filesSeen.add(name);
    return patched(
      withoutMarks(original),
      patches.filter(({ file }) => file === name),
    );
  });
  for (const { file } of patches) {
    if (!filesSeen.has(file)) throw new Error(`mutant "${mutant.name}": ${file} names no file of the core`);
  }
  return { ...coreHost, createCore };
}
