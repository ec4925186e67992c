import type { Stimulus } from '../core/inputs.js';
import type { LogPosition } from '../core/outputs.js';
import type { CorePump } from './core-pump.js';
import type { Outcome } from './node-options.js';

/** Within so many election timeouts, a cluster with a majority decides what its last leader left open. */
const DECIDED_IN_TIMEOUTS = 10;

export interface ConfigurationChangesOptions {
  pump: Pick<CorePump, 'ask'>;
  /** This node leads and has committed in its term. */
  isReady: () => boolean;
  /** `done` once this node is ready. */
  becomesReady: () => Promise<Outcome<object>>;
  outcomeOf: (at: LogPosition, signal: AbortSignal) => Promise<Outcome<object>>;
  electionTimeoutMs: () => number;
}

/** Changes of the configuration, from before their leader is ready until after it lost its leadership. */
export class ConfigurationChanges {
  constructor(private readonly options: ConfigurationChangesOptions) {}

  /**
   * Before the first commit of its term a leader must refuse changes. That takes milliseconds, so this waits. A change that
   * its leader left open is followed until the cluster has decided it.
   */
  async ask(make: (id: number) => Stimulus): Promise<Outcome<object>> {
    const { pump, isReady, becomesReady, outcomeOf, electionTimeoutMs } = this.options;
    if (!isReady()) {
      const barrier = await becomesReady();
      if (barrier.outcome !== 'done') return barrier;
    }
    const outcome = await pump.ask(make);
    if (outcome.outcome !== 'unknown' || !outcome.at) return outcome;
    return outcomeOf(outcome.at, AbortSignal.timeout(DECIDED_IN_TIMEOUTS * electionTimeoutMs()));
  }
}
