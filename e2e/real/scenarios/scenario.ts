import type { Stage } from '../stage.js';

/** One thing that must work. `run` does it and waits for its own result; verify.ts looks at all after each. */
export interface Scenario {
  name: string;
  title: string;
  /** A scenario whose aftermath this one starts from. */
  after?: string;
  run: (stage: Stage) => Promise<void>;
}
