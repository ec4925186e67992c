import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { Outcome } from '../../raft/index.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import type { UnsafePayload } from '../../rpc/payload/unsafe-payload.js';
import type { CommitOptions } from '../../rpc/server/conductor-api.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { CommandVerdict } from '../chain/chain-state-machine.js';
import type { ChainState, Verdict } from '../chain/chain-state.js';
import { encodeCommand } from '../chain/log-command.js';
import { ensureDone } from './ensure-done.js';
import { unlinkedGap, type LocalChain } from './gap-check.js';
import type { Turns } from './turns.js';
import { UnansweredBlocks } from './unanswered-blocks.js';

/** The part of the Raft node that commits need. */
export interface Log {
  readonly isReadyLeader: boolean;
  status(): { term: number };
  propose(data: Uint8Array): Promise<Outcome<{ result: CommandVerdict }>>;
  readBarrier(): Promise<Outcome<object>>;
}

interface CommitterOptions {
  log: Log;
  chain: ChainState;
  localChain: LocalChain;
  /** Why no block may be the first of an empty log; undefined if it may. */
  firstBlockRefusal: () => string | undefined;
  /** Other proposers share these turns, so that each is judged by the chain after all before it. */
  turns: Turns;
  logger: Logger;
}

/** The events of a committer. */
interface CommitterEvents {
  /** A block was refused because its sequencer is not on the committed chain. */
  contradicted: [block: BlockRef];
}

/** A commit in progress, with everybody who waits for its answer. */
interface Commitment {
  proposers: CommitOptions[];
  result: Promise<void>;
}

/** Commits that may wait for their turn. A sequencer sends one at a time. */
const QUEUE_MAX = 64;

const PREFIX = 'failed to apply payload envelope: ';

/**
 * Decides whether a block may be published: only after it is committed by this node, as leader, in its own term.
 *
 * Blocks are judged and proposed one at a time, so that each is judged against the previous one. A committed block
 * keeps its height for good, with one exception: if op-node gets no answer in time, it may seal the height again with
 * another hash. Nobody publishes the unanswered block, so it gives way.
 */
export class PayloadCommitter extends EventEmitter<CommitterEvents> {
  private readonly inFlight = new Map<string, Commitment>();
  private readonly unanswered = new UnansweredBlocks();

  constructor(private readonly options: CommitterOptions) {
    super();
  }

  /** @throws RpcError with op-conductor's texts where it has one */
  commit(payload: UnsafePayload, proposer: CommitOptions = {}): Promise<void> {
    const { hash } = payload.ref;
    // op-node repeats a request whose answer is slow. Both get the answer of the first.
    const same = this.inFlight.get(hash);
    if (same) {
      same.proposers.push(proposer);
      return same.result;
    }
    if (this.inFlight.size >= QUEUE_MAX) {
      return Promise.reject(new RpcError(`${PREFIX}timed out enqueuing operation`, { reason: 'queue-full' }));
    }
    const proposers = [proposer];
    const result = this.options.turns.take(() => this.answer(payload, proposers));
    this.inFlight.set(hash, { proposers, result });
    return result;
  }

  /** Finds out whether anybody receives the success before the next block is judged. */
  private async answer(payload: UnsafePayload, proposers: readonly CommitOptions[]): Promise<void> {
    const { hash } = payload.ref;
    try {
      await this.commitNext(payload);
      if (proposers.some(({ gone }) => !gone?.aborted)) this.unanswered.forget(hash);
      else
        this.options.logger.warn(
          { number: payload.ref.number, hash },
          'block committed, but its proposer is gone',
        );
    } finally {
      this.inFlight.delete(hash);
    }
  }

  private async commitNext(payload: UnsafePayload): Promise<void> {
    const { log, chain } = this.options;
    const { ref } = payload;
    let linkedTo: string | undefined;
    for (;;) {
      // A new leader knows the committed chain only after the first commit of its term.
      if (!log.isReadyLeader) ensureDone(await log.readBarrier(), PREFIX);
      const { head } = chain;
      const verdict = this.judge(ref);
      if (verdict.type === 'refused') throw this.refusal(ref, verdict.reason);
      if (verdict.type === 'duplicate') {
        // Only a leader may say so. A deposed one does not know whether the block has been replaced.
        ensureDone(await log.readBarrier(), PREFIX);
        if (chain.hashAt(ref.number) === ref.hash) return;
      } else if (verdict.type === 'gap' && head && linkedTo !== head.hash) {
        await this.requireLink(head, ref);
        // The chain may now have another head.
        linkedTo = head.hash;
      } else {
        return this.propose(payload, verdict);
      }
    }
  }

  private judge(block: BlockRef): Verdict {
    const { chain, log } = this.options;
    const hash = chain.head?.hash;
    const refusal = hash === undefined ? this.options.firstBlockRefusal() : undefined;
    if (refusal !== undefined) return { type: 'refused', reason: refusal };
    const isUnanswered = hash !== undefined && this.unanswered.has(hash, log.status().term);
    return chain.judge(block, isUnanswered ? hash : undefined);
  }

  private async propose(payload: UnsafePayload, verdict: Verdict): Promise<void> {
    const { log, chain, logger } = this.options;
    const { number, hash } = payload.ref;
    const replacesHead = verdict.type === 'replacement' ? chain.head?.hash : undefined;
    if (replacesHead !== undefined) {
      logger.warn({ number, hash, replacesHead }, 'head was never answered: replacing it');
    }
    this.unanswered.proposed(hash, log.status().term);
    const outcome = await log.propose(encodeCommand({ payload, replacesHead }));
    const { result } = ensureDone(outcome, PREFIX);
    if (result.type === 'refused') throw this.refusal(payload.ref, result.reason);
    this.unanswered.committed(hash);
  }

  private async requireLink(head: { number: number; hash: string }, block: BlockRef): Promise<void> {
    const unlinked = await unlinkedGap(this.options.localChain, head, block);
    if (!unlinked) return;
    const { number, hash } = block;
    this.options.logger.warn({ number, hash, reason: unlinked.reason }, 'block refused');
    if (unlinked.isElsewhere) this.emit('contradicted', block);
    throw new RpcError(PREFIX + unlinked.reason, { reason: 'unlinked-gap' });
  }

  private refusal(block: BlockRef, reason: string): RpcError {
    const { number, hash } = block;
    this.options.logger.warn({ number, hash, reason }, 'block refused');
    this.emit('contradicted', block);
    return new RpcError(PREFIX + reason, { reason: 'contradicts-chain' });
  }
}
