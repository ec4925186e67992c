import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { isSameTiming, type ClusterTiming, type CoreStatus } from '../../raft/index.js';
import type { RaftNodeEvents } from '../../raft/index.js';
import type { Config } from '../config/config.js';
import { timingConflict } from './raft-options.js';

interface Raft extends EventEmitter<RaftNodeEvents> {
  readonly timing: ClusterTiming;
  status(): Pick<CoreStatus, 'configuration'>;
}

/** The cluster uses the timing in its log. Flags that say otherwise have no effect, and should not mislead. */
export class TimingWarning {
  /** The timing in force at the last warning. */
  private warnedOf: ClusterTiming | undefined;

  constructor(
    private readonly config: Config,
    private readonly raft: Raft,
    private readonly logger: Logger,
  ) {
    raft.on('configuration', () => this.check());
  }

  /** Warns once about the same timing. The node must be open. */
  check(): void {
    const { raft, warnedOf } = this;
    if (!raft.status().configuration.configuration.timing) return;
    const conflict = timingConflict(this.config, raft.timing);
    if (conflict && !(warnedOf && isSameTiming(warnedOf, conflict.inForce))) {
      this.logger.warn(conflict, 'timing flags ignored: the cluster uses different timing');
    }
    this.warnedOf = conflict?.inForce;
  }
}
