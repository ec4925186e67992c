/** Length (ms) and beginning of the longest time between two neighbours, the ends of the time included. */
export interface Gap {
  ms: number;
  sinceMs: number;
}

/**
 * The longest time within `fromMs`…`toMs` in which nothing happened.
 *
 * @param atMs when something happened, in order
 */
export function longestGap(atMs: readonly number[], fromMs: number, toMs: number): Gap {
  const within = [fromMs, ...atMs.filter((at) => at > fromMs && at < toMs), toMs];
  let longest: Gap = { ms: 0, sinceMs: fromMs };
  for (const [index, at] of within.entries()) {
    const sinceMs = within[index - 1] ?? fromMs;
    if (at - sinceMs > longest.ms) longest = { ms: at - sinceMs, sinceMs };
  }
  return longest;
}
