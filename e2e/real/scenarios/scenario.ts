import type { Stage } from '../stage.js';
import type { Environment } from '../environment.js';

/** One thing that must work. `run` does it and waits for its own result. verify.ts checks everything after each. */
export interface Scenario {
  name: string;
  title: string;
  /** A scenario of the same group that this one builds on. */
  after?: string;
  /** Why it cannot run on this machine; undefined if it can. */
  lacks?: () => string | undefined;
  run: (stage: Stage) => Promise<void>;
}

/** Scenarios that run on one network, in this order. The first starts it. */
export interface ScenarioGroup {
  name: string;
  scenarios: readonly Scenario[];
  /** Why there can be no such network on this machine; undefined if there can. */
  lacks: () => string | undefined;
  environment: () => Promise<Environment>;
}
