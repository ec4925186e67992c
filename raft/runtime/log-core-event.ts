import type { Logger } from 'pino';
import type { CoreEvent } from '../core/types.js';

const REVERTED_REMEDY =
  'the node neither votes nor counts any more: mistrust its disk, wipe it, and add the node again as a new member';

/** One line for each turn of events, with its reason. */
export function logCoreEvent(logger: Logger, event: CoreEvent): void {
  switch (event.type) {
    case 'role': {
      const { role, term, leader, reason } = event;
      return logger.info({ role, term, leader, reason }, 'role changed');
    }
    case 'leaderReady':
      return logger.info({ term: event.term, index: event.index }, 'leadership complete');
    case 'configuration': {
      const { index, configuration, reason } = event;
      return logger.info({ index, members: configuration.members, reason }, 'membership changed');
    }
    case 'electionStarted': {
      const { term, prevote, cause } = event;
      return logger.info({ term, prevote, cause }, 'stands for election');
    }
    case 'snapshotInstalled':
      return logger.info({ index: event.index, from: event.from }, 'snapshot installed');
    case 'diskHangs': {
      const { forMs, successor } = event;
      return logger.warn(
        { forMs: Math.round(forMs), successor },
        'the disk does not finish a write: handing over',
      );
    }
    case 'reverted': {
      const { node, acknowledged, found } = event;
      const code = 'log-reverted';
      return logger.error(
        { code, node, acknowledged, found, remedy: REVERTED_REMEDY },
        'a disk lost what it had confirmed',
      );
    }
  }
}
