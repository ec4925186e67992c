/** Invariants that seeds break today, each with its reason. The tests skip them, and prove that they are still broken. */
export const BROKEN_BY_SEEDS: Readonly<Record<string, string>> = {};

/** Scenarios that fail today, with the invariant that they break. */
export const FAILING_SCENARIOS: Readonly<Record<string, string>> = {};
