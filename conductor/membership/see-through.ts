import type { CoreStatus, Member } from '../../raft/index.js';
import type { CallerIdentity } from '../../rpc/server/json-rpc/caller.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { Sleep } from '../time/sleep.js';

/** A call for the new leader to carry out. */
export interface LeaderCall {
  method: string;
  params: readonly unknown[];
  /** Who asked for it; undefined if only this member did. */
  by?: CallerIdentity | undefined;
}

/** A change of the membership, which may take several steps. */
export interface Change extends LeaderCall {
  /** Carries out the rest of the change. @throws RpcError; with a reason of `INTERRUPTED` when it lost leadership */
  attempt: (isRepeated: boolean) => Promise<void>;
  /** Whether these members are the goal; absent if another attempt does no harm. */
  isTrue?: (members: readonly Member[]) => boolean;
}

interface SeeThroughOptions {
  status: () => Pick<CoreStatus, 'role' | 'ready' | 'leader' | 'configuration'>;
  /** Has the leader carry out the call. @throws RpcError with its answer, or that it could not be asked */
  atLeader: (leader: string, call: LeaderCall) => Promise<void>;
  sleep: Sleep;
}

/** Reasons of errors that only mean that leadership was lost, or is about to be. */
const INTERRUPTED: readonly string[] = [
  'unknown-outcome',
  'superseded',
  'leadership-lost',
  'transfer-in-progress',
];

/** An election takes a fraction of this, even on a busy machine. */
const SETTLE_MS = 10_000;
const LOOK_MS = 20;

/**
 * Carries a change through changes of leadership: it continues here after a re-election, or at the new leader.
 * Whether an interrupted step was committed is known once a leader has committed an entry of its own term.
 *
 * @throws RpcError; `unknown-outcome` if nobody leads for long
 */
export async function seeThrough(change: Change, options: SeeThroughOptions): Promise<void> {
  for (let isRepeated = false; ; isRepeated = true) {
    try {
      return await change.attempt(isRepeated);
    } catch (error) {
      if (!(error instanceof RpcError) || !INTERRUPTED.includes(error.reason)) throw error;
    }
    const leader = await nextLeader(options);
    if (leader !== 'here') return options.atLeader(leader, change);
    const { members } = options.status().configuration.configuration;
    if (change.isTrue?.(members)) return;
  }
}

async function nextLeader({ status, sleep }: SeeThroughOptions): Promise<string> {
  const endMs = performance.now() + SETTLE_MS;
  for (;;) {
    const { role, ready, leader } = status();
    if (role === 'leader' && ready) return 'here';
    if (role !== 'leader' && leader !== null) return leader;
    if (performance.now() > endMs) {
      throw new RpcError(
        `leadership lost while committing log, and nobody leads after ${SETTLE_MS / 1000} s: ` +
          'it is not known whether the change was made; check the membership once there is a leader',
        { reason: 'unknown-outcome' },
      );
    }
    await sleep(LOOK_MS);
  }
}
