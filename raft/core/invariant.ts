/** Thrown inside a step when the impossible happened; the core turns it into a `halt` output. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Stays on in production: a node with a broken invariant must not continue. */
export function invariant(condition: boolean, reason: () => string): asserts condition {
  if (!condition) throw new InvariantError(reason());
}
