import type { RaftCore } from '../../core/raft-core.js';

/** Objects that a step never changes in place, so that many states can share them. */
const SHARED_KEYS = new Set([
  ...['ownTiming', 'timingFound', 'limits', 'configuration', 'message', 'snapshot', 'data'],
]);

const isShared = (key: string, value: object): boolean =>
  SHARED_KEYS.has(key) || ArrayBuffer.isView(value) || 'chainHash' in value;

/** Times mean nothing here: every timer is due, and no leader has been heard. */
const timeless = (key: string): number => (key === 'lastLeaderContactMs' ? -Infinity : 0);

/**
 * A core in the same state, so that one can be stepped and the other kept. All times are set to the same moment: in this
 * model any timer may fire at any time, and states that differ only in times are the same.
 */
export function copyOf(core: RaftCore): RaftCore {
  return copy('core', core, new Map()) as RaftCore;
}

function copy(key: string, value: unknown, known: Map<object, object>): unknown {
  if (typeof value === 'number' && key.endsWith('Ms')) return timeless(key);
  if (typeof value !== 'object' || value === null || isShared(key, value)) return value;
  const earlier = known.get(value);
  if (earlier) return earlier;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    known.set(value, items);
    for (const item of value) items.push(copy('', item, known));
    return items;
  }
  if (value instanceof Set) return new Set(value);
  if (value instanceof Map) {
    const map = new Map<unknown, unknown>();
    for (const [id, item] of value) map.set(id, copy(key, item, known));
    return map;
  }
  const object = Object.create(Object.getPrototypeOf(value) as object) as Record<string, unknown>;
  known.set(value, object);
  for (const [name, item] of Object.entries(value)) object[name] = copy(name, item, known);
  return object;
}

/** Not part of the state: what all states have in common, counters that nobody compares, and what only affects timers. */
const LEFT_OUT = new Set([
  ...['ownTiming', 'timingFound', 'limits', 'now', 'random', 'outputs', 'data', 'round', 'ackedRound'],
  ...['published', 'rank', 'eligibility', 'priority', 'fruitlessElections'],
  ...['fruitlessLeaderships', 'promptCommits'],
]);

/** A text that is equal for equal states, without times. */
export function textOf(value: unknown, key = ''): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value : String(value);
  if (LEFT_OUT.has(key) || key.endsWith('Ms')) return '';
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item)).join()}]`;
  if (value instanceof Set) return `{${[...(value as Set<string>)].sort().join()}}`;
  if (value instanceof Map) {
    return `{${[...value].map(([id, item]) => `${String(id)}:${textOf(item)}`).join()}}`;
  }
  // The chain hash stands for the entry and all before it.
  if ('chainHash' in value && !('configuration' in value)) return `#${String(value.chainHash)}`;
  let text = '(';
  for (const [name, item] of Object.entries(value)) {
    if (LEFT_OUT.has(name) || name.endsWith('Ms')) continue;
    text += `${name}=${textOf(item, name)};`;
  }
  return `${text})`;
}
