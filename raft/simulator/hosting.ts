import type { CoreContext } from '../core/context.js';
import { RaftCore } from '../core/raft-core.js';
import type { CoreOptions, RestoredState } from '../core/types.js';

/** How the simulator runs the core. A mutant replaces a part of it, to prove that the checks notice. */
export interface Hosting {
  createCore(options: CoreOptions, restored: RestoredState): RaftCore;
  /** Reports writes as finished before they are (an fsync that was forgotten, bug 2). */
  reportsWritesEarly: boolean;
}

export const faithfulHosting: Hosting = {
  createCore: (options, restored) => new RaftCore(options, restored),
  reportsWritesEarly: false,
};

/** The checks look into the core; nothing in the simulator writes there. */
export const insideOf = (core: RaftCore): CoreContext => core['ctx'];
