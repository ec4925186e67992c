import type { CoreContext } from '../../core/context.js';
import type { Message } from '../../core/messages.js';
import type { CoreOptions } from '../../core/options.js';
import { RaftCore } from '../../core/raft-core.js';
import type { RestoredState } from '../../core/stored-state.js';
import { mayComeFromAnyDisk } from '../../transport/incarnation-policy.js';

/** How the simulator runs the core. A mutant replaces a part of it to prove that the checks notice. */
export interface CoreHost {
  createCore(options: CoreOptions, restored: RestoredState): RaftCore;
  /** Reports writes as finished too early (a forgotten fsync). */
  reportsWritesEarly: boolean;
  /** The process ends when a write fails, because the content of the disk is then unknown. */
  stopsOnFailedWrites: boolean;
  /** A damaged disk is refused at start. */
  checksDisks: boolean;
  /** Whether a message counts if it comes from another disk than the member's. */
  mayComeFromAnyDisk(this: void, message: Message): boolean;
}

export const honestHost: CoreHost = {
  createCore: (options, restored) => new RaftCore(options, restored),
  reportsWritesEarly: false,
  stopsOnFailedWrites: true,
  checksDisks: true,
  mayComeFromAnyDisk,
};

/** The checks read the core's state. Nothing in the simulator writes it. */
export const coreState = (core: RaftCore): CoreContext => core['ctx'];
