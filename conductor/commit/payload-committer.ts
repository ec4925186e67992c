import type { Logger } from 'pino';
import type { Outcome } from '../../raft/index.js';
import type { UnsafePayload } from '../../rpc/payload/unsafe-payload.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ChainState, Verdict } from '../chain/chain-state.js';
import { encodeCommand } from '../chain/log-command.js';

/** The part of the Raft node that commits need. */
export interface Log {
  readonly isReadyLeader: boolean;
  propose(data: Uint8Array): Promise<Outcome<{ result: Verdict }>>;
  readBarrier(): Promise<Outcome<object>>;
}

/** Commits that may wait for their turn; a sequencer has one at a time. */
const QUEUE_MAX = 64;

const PREFIX = 'failed to apply payload envelope: ';

/**
 * Decides whether a block may be published: only after it is committed by this node, as leader, in its own term.
 *
 * Blocks are judged and proposed one after the other, so that each is judged against the one before it.
 */
export class PayloadCommitter {
  private readonly inFlight = new Map<string, Promise<void>>();
  private tail: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly log: Log,
    private readonly chain: ChainState,
    private readonly logger: Logger,
  ) {}

  /** @throws RpcError with op-conductor's texts where it has one */
  commit(payload: UnsafePayload): Promise<void> {
    const { hash } = payload.ref;
    // op-node repeats a request whose answer was slow: both get the answer of the first.
    const same = this.inFlight.get(hash);
    if (same) return same;
    if (this.inFlight.size >= QUEUE_MAX) {
      return Promise.reject(new RpcError(`${PREFIX}timed out enqueuing operation`, { reason: 'queue-full' }));
    }
    const result = this.tail.then(() => this.commitNext(payload)).finally(() => this.inFlight.delete(hash));
    this.inFlight.set(hash, result);
    this.tail = result.catch(() => undefined);
    return result;
  }

  private async commitNext(payload: UnsafePayload): Promise<void> {
    // A new leader knows the committed chain only after the first commit of its term.
    if (!this.log.isReadyLeader) ensureDone(await this.log.readBarrier());
    const verdict = this.chain.judge(payload.ref);
    const { number, hash } = payload.ref;
    if (verdict.type === 'refused') {
      this.logger.warn({ number, hash, reason: verdict.reason }, 'block refused');
      throw new RpcError(PREFIX + verdict.reason, { reason: 'contradicts-chain' });
    }
    if (verdict.type === 'duplicate') {
      // Only a leader may say so: a deposed one does not know that the block was replaced since.
      ensureDone(await this.log.readBarrier());
      if (this.chain.hashAt(number) === hash) return;
      return this.commitNext(payload);
    }
    const replacesHead = verdict.type === 'replacement' ? this.chain.head?.hash : undefined;
    const outcome = await this.log.propose(encodeCommand({ payload, replacesHead }));
    const { result } = ensureDone(outcome);
    if (result.type === 'refused') {
      throw new RpcError(PREFIX + result.reason, { reason: 'contradicts-chain' });
    }
  }
}

const REJECT_TEXT: Partial<Record<string, string>> = {
  'not-leader': 'node is not the leader',
  'transfer-in-progress': 'leadership transfer in progress',
  'too-many-uncommitted': 'timed out enqueuing operation',
  stopped: 'raft is already shutdown',
};

function ensureDone<T>(outcome: Outcome<T>): T {
  if (outcome.outcome === 'done') return outcome;
  if (outcome.outcome === 'rejected') {
    throw new RpcError(PREFIX + (REJECT_TEXT[outcome.reason] ?? outcome.reason), { reason: outcome.reason });
  }
  // The block may be committed by the next leader or not: the sequencer must not publish it on this answer.
  throw new RpcError(`${PREFIX}leadership lost while committing log`, {
    reason: 'unknown-outcome',
    cause: outcome.reason,
  });
}
