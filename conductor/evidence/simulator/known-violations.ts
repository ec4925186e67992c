/** Invariants that seeds break today, each with its reason: the tests do not look at them, and show that it is so. */
export const BROKEN_BY_SEEDS: Readonly<Record<string, string>> = {};

/** Scenarios that fail today, with the invariant that they break. */
export const FAILING_SCENARIOS: Readonly<Record<string, string>> = {};
