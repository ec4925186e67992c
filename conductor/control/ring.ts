/** The others in the order of their ids, around the ring: whoever comes after `self` first (op-conductor.md §3.6). */
export function aroundTheRing<T extends { id: string }>(self: string, others: readonly T[]): T[] {
  const sorted = [...others].sort((a, b) => (a.id < b.id ? -1 : 1));
  const next = sorted.findIndex(({ id }) => id > self);
  return next < 0 ? sorted : [...sorted.slice(next), ...sorted.slice(0, next)];
}
