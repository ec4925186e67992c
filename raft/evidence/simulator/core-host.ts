import type { CoreContext } from '../../core/context.js';
import type { Message } from '../../core/messages.js';
import type { CoreOptions } from '../../core/options.js';
import { RaftCore } from '../../core/raft-core.js';
import type { RestoredState } from '../../core/stored-state.js';
import { mayComeFromAnyDisk } from '../../transport/incarnation-policy.js';

/** How the simulator runs the core. A mutant replaces a part of it, to prove that the checks notice. */
export interface CoreHost {
  createCore(options: CoreOptions, restored: RestoredState): RaftCore;
  /** Reports writes as finished before they are (an fsync that was forgotten). */
  reportsWritesEarly: boolean;
  /** The process ends when a write fails: nobody knows what such a disk holds. */
  stopsOnFailedWrites: boolean;
  /** A damaged disk is refused at start. */
  checksDisks: boolean;
  /** Whether a message counts that comes from another disk than the member's. */
  mayComeFromAnyDisk(this: void, message: Message): boolean;
}

export const honestHost: CoreHost = {
  createCore: (options, restored) => new RaftCore(options, restored),
  reportsWritesEarly: false,
  stopsOnFailedWrites: true,
  checksDisks: true,
  mayComeFromAnyDisk,
};

/** The checks look into the core; nothing in the simulator writes there. */
export const coreState = (core: RaftCore): CoreContext => core['ctx'];
