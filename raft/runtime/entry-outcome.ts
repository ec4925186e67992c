import type { EventEmitter } from 'node:events';
import type { Fate, LogPosition } from '../core/outputs.js';
import type { Outcome, RaftNodeEvents } from './node-options.js';

/** A node that will have the entry in its log, or another one at its index. */
export interface DecidingNode {
  events: Pick<EventEmitter<RaftNodeEvents>, 'on' | 'off'>;
  isRunning(): boolean;
  fateOf(at: LogPosition): Fate;
}

const OUTCOMES: Record<Exclude<Fate, 'open'>, (at: LogPosition) => Outcome<object>> = {
  committed: (at) => ({ outcome: 'done', ...at }),
  replaced: () => ({
    outcome: 'rejected',
    reason: 'superseded',
    detail: 'an entry of another leader replaced it',
  }),
  forgotten: (at) => ({ outcome: 'unknown', reason: 'the log no longer reaches back to it', at }),
};

/**
 * Waits until the cluster has decided about the entry. `unknown` when the signal comes first, this node stops, or its log
 * no longer reaches back to it.
 */
export async function findEntryOutcome(
  node: DecidingNode,
  at: LogPosition,
  signal: AbortSignal,
): Promise<Outcome<object>> {
  for (;;) {
    const fate = node.fateOf(at);
    if (fate !== 'open') return OUTCOMES[fate](at);
    if (signal.aborted) return { outcome: 'unknown', reason: 'not decided in time', at };
    if (!node.isRunning()) return { outcome: 'unknown', reason: 'this node stopped', at };
    await nextCommit(node, signal);
  }
}

/** Events that may mean a new commit index: entries, or a snapshot with its configuration. */
function nextCommit({ events }: DecidingNode, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      events.off('committed', done);
      events.off('configuration', done);
      events.off('stopped', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    events.on('committed', done);
    events.on('configuration', done);
    events.on('stopped', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
