/** An invariant does not hold: the run has found a bug. */
export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(
    /** Number of the invariant, or `halt`, `storage`, `crash` for what the core or disk found. */
    readonly invariant: string,
    message: string,
  ) {
    super(`${invariant}: ${message}`);
  }
}

export function check(condition: boolean, invariant: string, message: () => string): asserts condition {
  if (!condition) throw new Violation(invariant, message());
}
