import { faithfulHosting, type Hosting } from '../hosting.js';
import { loadCore } from '../load-core.js';
import { withoutMarks } from '../soak/marks.js';
import type { Mutant } from './mutants.js';

/**
 * Builds the core with the mutant's fault in it.
 * @throws Error when a text to replace does not occur exactly once: the mutant is out of date
 */
export async function loadMutant(mutant: Mutant): Promise<Hosting> {
  const hosting: Hosting = { ...faithfulHosting, ...mutant.hosting };
  const { patches } = mutant;
  if (!patches) return hosting;
  const createCore = await loadCore((name, original) => {
    let source = withoutMarks(original);
    for (const { file, find, replace } of patches) {
      if (file !== name) continue;
      const text = anyFormatOf(find);
      if (source.match(text)?.length !== 1) {
        throw new Error(`mutant "${mutant.name}": ${file} does not contain its text exactly once`);
      }
      source = source.replace(text, () => replace);
    }
    return source;
  });
  return { ...hosting, createCore };
}

/** The text wherever its lines break. */
const anyFormatOf = (text: string): RegExp =>
  new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+'), 'g');
