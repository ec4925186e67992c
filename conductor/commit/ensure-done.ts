import type { Outcome } from '../../raft/index.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';

const REJECT_TEXT: Partial<Record<string, string>> = {
  'not-leader': 'node is not the leader',
  'transfer-in-progress': 'leadership transfer in progress',
  'too-many-uncommitted': 'timed out enqueuing operation',
  stopped: 'raft is already shutdown',
};

/** @throws RpcError with op-conductor's text, after `prefix` */
export function ensureDone<T>(outcome: Outcome<T>, prefix = ''): Extract<Outcome<T>, { outcome: 'done' }> {
  if (outcome.outcome === 'done') return outcome;
  if (outcome.outcome === 'rejected') {
    throw new RpcError(prefix + (REJECT_TEXT[outcome.reason] ?? outcome.reason), { reason: outcome.reason });
  }
  // The next leader may or may not commit it, so the sequencer must not publish a block on this answer.
  throw new RpcError(`${prefix}leadership lost while committing log`, {
    reason: 'unknown-outcome',
    cause: outcome.reason,
  });
}
