import type { Logger } from 'pino';
import type { CoreEvent } from '../core/outputs.js';

const REVERTED_REMEDY =
  'the node no longer votes or counts, even after a restart: stop it, check its disk, find out whether an old copy of the volume was restored, move its storage directory away, then remove the member and add it again with an empty directory (baton remove, baton add); never restore a copy of a directory';

/** A node without a majority asks again ten times a second, without end. It logs that at this interval. */
const RETRY_TOLD_EVERY_MS = 10_000;

type ElectionStarted = Extract<CoreEvent, { type: 'electionStarted' }>;
type Configured = Extract<CoreEvent, { type: 'configuration' }>;

/** Logs one line for each event, with its reason. */
export class CoreEventLog {
  private candidacyToldMs = -Infinity;
  private retries = 0;
  private newest: Configured | undefined;

  constructor(
    private readonly logger: Logger,
    /** Monotonic clock, ms. */
    private readonly now: () => number,
  ) {}

  note(event: CoreEvent): void {
    const { logger } = this;
    switch (event.type) {
      case 'role': {
        const { role, term, leader, reason } = event;
        return logger.info({ role, term, leader, reason }, 'role changed');
      }
      case 'leaderReady':
        return logger.info({ term: event.term, index: event.index }, 'leadership complete');
      case 'configuration':
        return this.configured(event);
      case 'electionStarted':
        return this.candidacy(event);
      case 'snapshotInstalled':
        return logger.info({ index: event.index, from: event.from }, 'snapshot installed');
      case 'diskHangs': {
        const { forMs, successor } = event;
        return logger.warn(
          { forMs: Math.round(forMs), successor },
          'disk write hangs: transferring leadership',
        );
      }
      case 'noWork': {
        const { forMs, index, obstacles, then, successor } = event;
        return logger.warn(
          { forMs: Math.round(forMs), index, obstacles, then, successor },
          'heartbeats are answered but nothing commits',
        );
      }
      case 'reverted': {
        const { node, proof, acknowledged, found } = event;
        const code = 'log-reverted';
        return logger.error(
          { code, node, proof, acknowledged, found, remedy: REVERTED_REMEDY },
          'a disk lost writes that it had confirmed',
        );
      }
    }
  }

  /** Those that come in one go are of the past, and a newcomer catches up with them: the last one says all. */
  private configured(event: Configured): void {
    const isFirst = this.newest === undefined;
    this.newest = event;
    if (!isFirst) return;
    queueMicrotask(() => {
      const { index, configuration, reason } = this.newest ?? event;
      this.newest = undefined;
      this.logger.info({ index, members: configuration.members, reason }, 'membership changed');
    });
  }

  private candidacy({ term, prevote, cause }: ElectionStarted): void {
    const line = { term, prevote, cause };
    const isRetry = prevote && cause === 'retry';
    this.retries = isRetry ? this.retries + 1 : 0;
    if (isRetry && this.now() - this.candidacyToldMs < RETRY_TOLD_EVERY_MS) {
      return this.logger.debug(line, 'stands for election');
    }
    this.candidacyToldMs = this.now();
    this.logger.info(isRetry ? { ...line, retries: this.retries } : line, 'stands for election');
  }
}
