import { rpcFailure } from './client-error.js';

/**
 * Why op-node refused `admin_startSequencer`, read from its error text (docs/reference/op-conductor.md §8.1).
 *
 * - `not-leader`: its conductor answered that it does not lead.
 * - `leader-check-failed`: it could not ask its conductor; `detail` says why.
 * - `hash-mismatch`: its head is not the given block; `head` is null if the text names none.
 * - `no-prestate`: it has no head yet (still starting).
 * - `not-enabled`: it runs without `--sequencer.enabled`.
 */
export type StartRefusal =
  | { reason: 'not-leader' }
  | { reason: 'leader-check-failed'; detail: string }
  | { reason: 'hash-mismatch'; head: { hash: string; number: number } | null }
  | { reason: 'no-prestate' }
  | { reason: 'not-enabled' };

/** `admin_startSequencer` was answered, with a refusal. */
export class StartRefusedError extends Error {
  constructor(
    readonly refusal: StartRefusal,
    cause: Error,
  ) {
    super(cause.message, { cause });
    this.name = 'StartRefusedError';
  }

  get code(): StartRefusal['reason'] {
    return this.refusal.reason;
  }

  /** op-node is on its way to the block; ordinarily it gets there within milliseconds. */
  get isTransient(): boolean {
    return this.code === 'hash-mismatch' || this.code === 'no-prestate';
  }
}

const LEADER_CHECK_FAILED = 'sequencer leader check failed';

/** Recognises op-node's refusals by their texts (it has no codes for them); null for any other error. */
export function startRefusal(error: unknown): StartRefusal | null {
  const text = rpcFailure(error)?.rpcMessage;
  if (text === undefined) return null;
  if (text.includes('sequencer is not the leader')) return { reason: 'not-leader' };
  if (text.includes(LEADER_CHECK_FAILED)) {
    const detail = text.slice(text.indexOf(LEADER_CHECK_FAILED) + LEADER_CHECK_FAILED.length);
    return { reason: 'leader-check-failed', detail: detail.replace(/^:\s*/, '') };
  }
  if (text.includes('block hash does not match')) {
    const head = /head (0x[0-9a-fA-F]{64}):(\d+)/.exec(text);
    return {
      reason: 'hash-mismatch',
      head: head ? { hash: head[1]!.toLowerCase(), number: Number(head[2]) } : null,
    };
  }
  if (text.includes('no prestate')) return { reason: 'no-prestate' };
  if (text.includes('sequencer is not enabled')) return { reason: 'not-enabled' };
  return null;
}

/** Whether op-node refused a start because its sequencer already runs: the wanted state. */
export function isAlreadyRunning(error: unknown): boolean {
  return rpcFailure(error)?.rpcMessage.includes('sequencer already running') ?? false;
}

/** Whether op-node refused a stop because its sequencer does not run: the wanted state. */
export function isNotRunning(error: unknown): boolean {
  return rpcFailure(error)?.rpcMessage.includes('sequencer not running') ?? false;
}
