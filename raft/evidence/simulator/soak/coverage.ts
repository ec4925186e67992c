import { honestHost, type CoreHost } from '../core-host.js';
import { loadCore } from '../load-core.js';
import { withCounters } from './marks.js';

export interface Coverage {
  coreHost: CoreHost;
  /** How often each marked branch was taken; 0 for those that never were. */
  reached: () => Record<string, number>;
}

/** The core with counters at its marks. @throws Error when two marks have the same name */
export async function loadCovered(): Promise<Coverage> {
  const names: string[] = [];
  const counts: number[] = [];
  const slotOf = (name: string): number => {
    if (names.includes(name)) throw new Error(`two branches are marked "${name}"`);
    counts.push(0);
    return names.push(name) - 1;
  };
  (globalThis as { coverCore?: (slot: number) => void }).coverCore = (slot) => {
    (counts[slot] as number) += 1;
  };
  const createCore = await loadCore((_, source) => withCounters(source, slotOf));
  return {
    coreHost: { ...honestHost, createCore },
    reached: () => Object.fromEntries(names.map((name, slot) => [name, counts[slot] as number])),
  };
}
