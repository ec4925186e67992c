import { faithfulHosting, type Hosting } from '../hosting.js';
import { loadCore } from '../load-core.js';

/**
 * Branches of the core that are worth reaching carry a comment: `// cover: name` as the first line of a block, or
 * `cover: name` in a block comment at the end of a condition. Only here do those comments become code.
 */
const OF_BLOCK = /^[ \t]*\/\/ cover: (.+)$/gm;
const OF_CONDITION = /\/\* cover: (.+?) \*\//g;

export interface Coverage {
  hosting: Hosting;
  /** How often each marked branch was taken; 0 for those that never were. */
  reached: () => Record<string, number>;
}

/** The core, with counters at its marks. @throws Error when two marks have the same name */
export async function loadCovered(): Promise<Coverage> {
  const names: string[] = [];
  const counts: number[] = [];
  const slotOf = (name: string): number => {
    if (names.includes(name)) throw new Error(`two branches are marked "${name}"`);
    counts.push(0);
    return names.push(name) - 1;
  };
  (globalThis as { coverCore?: (slot: number) => true }).coverCore = (slot) => {
    (counts[slot] as number) += 1;
    return true;
  };
  const createCore = await loadCore((_, source) =>
    source
      .replace(OF_BLOCK, (_line, name: string) => `globalThis.coverCore(${slotOf(name)});`)
      .replace(OF_CONDITION, (_comment, name: string) => `&& globalThis.coverCore(${slotOf(name)})`),
  );
  return {
    hosting: { ...faithfulHosting, createCore },
    reached: () => Object.fromEntries(names.map((name, slot) => [name, counts[slot] as number])),
  };
}
