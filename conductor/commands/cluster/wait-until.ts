import { formatGoDuration } from '../../config/go-duration.js';
import type { Sleep } from '../../time/sleep.js';
import { CommandError } from '../command-error.js';
import { isLasting } from './access-error.js';
import type { ClusterClient } from './cluster-client.js';
import { isQuorumLost, type ClusterView } from '../../verdict/cluster-view.js';

const POLL_MS = 100;

/** A wait that is longer than this is reported with its reason, and no more often than this. */
const PATIENCE_MS = 3000;

/** The time limit of a command, from its construction. */
export class Deadline {
  private readonly endMs: number;

  constructor(private readonly timeoutMs: number) {
    this.endMs = performance.now() + timeoutMs;
  }

  /** At least 1, so that it can be given to a timer. */
  get remainingMs(): number {
    return Math.max(1, this.endMs - performance.now());
  }

  get isOver(): boolean {
    return performance.now() >= this.endMs;
  }

  toString(): string {
    return formatGoDuration(this.timeoutMs);
  }
}

interface Waiting {
  deadline: Deadline;
  signal: AbortSignal;
  note: (line: string) => void;
  sleep: Sleep;
}

/**
 * Looks at the cluster repeatedly until nothing is missing. Prints what it waits for if that takes long.
 *
 * @param missing what is still missing, in words; undefined if nothing is
 * @returns the view in which nothing was missing
 * @throws CommandError `deadline` or `quorum-lost` with what was missing last; at once if nobody gives access
 */
export async function waitUntil(
  cluster: Pick<ClusterClient, 'view'>,
  { deadline, signal, note, sleep }: Waiting,
  missing: (view: ClusterView) => string | undefined,
): Promise<ClusterView> {
  let noted: string | undefined;
  let quietUntilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    let lacks: string | undefined;
    let isLost = false;
    try {
      const view = await cluster.view();
      lacks = missing(view);
      if (lacks === undefined) return view;
      isLost = isQuorumLost(view);
    } catch (error) {
      // The node that was asked may be the one that goes away.
      if (!(error instanceof CommandError) || isLasting(error)) throw error;
      lacks = error.message;
    }
    if (signal.aborted) throw new CommandError('interrupted', `not waited for: ${lacks}`);
    if (deadline.isOver) {
      throw new CommandError(isLost ? 'quorum-lost' : 'deadline', `after ${deadline.toString()}: ${lacks}`);
    }
    if (lacks !== noted && performance.now() >= quietUntilMs) {
      note(`waiting: ${lacks}`);
      noted = lacks;
      quietUntilMs = performance.now() + PATIENCE_MS;
    }
    await sleep(Math.min(POLL_MS, deadline.remainingMs), signal).catch(() => undefined);
  }
}
