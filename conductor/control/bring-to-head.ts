import type { Logger } from 'pino';
import type { SyncStatus } from '../../rpc/clients/op-node-client.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import { MIB } from '../../common/bytes.js';
import { envelopeJson } from '../../rpc/payload/envelope-json.js';
import type { BlockId, BlockRef } from '../../rpc/payload/block-ref.js';
import type { CommittedBlock } from '../chain/chain-state.js';
import type { Sleep } from '../time/sleep.js';
import { ChainComparison } from './common-point.js';
import { localHead, type ChainClient } from './local-head.js';

/** The parts of the local node and of the committed chain that these procedures use. */
export interface NodeAndChain {
  opNode: {
    postUnsafePayload(envelopeText: string, options: CallOptions): Promise<void>;
    resetPipeline(options: CallOptions): Promise<void>;
    syncStatus(options: CallOptions): Promise<SyncStatus>;
  };
  execution: ChainClient;
  history: {
    /** Its parent is unknown after a reset to a block that is not retained. */
    readonly head: (BlockId & { parentHash?: string | undefined }) | undefined;
    hashAt(number: number): string | undefined;
    blocksAbove(number: number): readonly CommittedBlock[] | undefined;
    payload(block: CommittedBlock): Promise<Buffer>;
  };
  logger: Logger;
  sleep: Sleep;
}

/**
 * - `history-too-short`: the blocks that the node lacks are not retained; only gossip can bring them.
 * - `node-does-not-follow`: they were posted, but the node's head did not move.
 * - `other-branch`: a standby's blocks differ from the committed ones; op-node would drop posted blocks.
 */
export type BehindCode = 'history-too-short' | 'node-does-not-follow' | 'other-branch';

/** The local node could not be brought to the committed head in time. */
export class BehindError extends Error {
  override readonly name = 'BehindError';
  constructor(
    readonly code: BehindCode,
    message: string,
  ) {
    super(message);
  }
}

/** Posted but not yet imported; op-node's own queue is also bounded. */
const WINDOW_BLOCKS = 64;
const WINDOW_BYTES = 16 * MIB;
/** A posted block that did not move the head for this long is posted again: op-node may drop it (issue #12448). */
const REPOST_AFTER_MS = 500;
const POLL_MS = 10;

/**
 * The target for a node: the committed head, or the last block that has a committed child. The head itself may still
 * give way to another block if its sequencer never learned that it was committed, and op-node does not leave a block
 * that it has imported.
 */
type Extent = 'head' | 'parent-of-head';

export interface BringOptions {
  signal: AbortSignal;
  /** Longest time that the local head may not move. */
  deadlineMs: number;
  callTimeoutMs: number;
  upTo: Extent;
}

/**
 * Brings the local node to the committed head: posts the blocks that it lacks, in order, and watches its head.
 * Returns the local head, which is the wanted block or a descendant of it.
 *
 * op-conductor posts at most one block, so a node two blocks behind is stuck forever (#22143). A killed geth comes back
 * 3–5 blocks behind its own head, so that is the normal case.
 *
 * @throws BehindError when the local head did not move for `deadlineMs`
 */
export async function bringToHead(deps: NodeAndChain, options: BringOptions): Promise<BlockRef> {
  const { history, logger } = deps;
  const call = { signal: options.signal, timeoutMs: options.callTimeoutMs };
  let end = performance.now() + options.deadlineMs;
  let lastHash = '';
  const comparison = new ChainComparison(deps);
  let window = new PostingWindow();
  let posted = 0;
  let hasReset = false;
  let reason: BehindError | undefined;
  for (;;) {
    options.signal.throwIfAborted();
    const local = await localHead(deps, call);
    const target = targetOf(history.head, options.upTo);
    // A node may be ahead of the log if somebody let it sequence without the conductor.
    const relation = target && (await comparison.relate(local, target, call));
    if (!relation || relation.descends) {
      if (posted > 0)
        logger.info({ posted, head: local.number, hash: local.hash }, 'the local node caught up');
      return local;
    }
    if (relation.differs && options.upTo !== 'head') {
      throw new BehindError('other-branch', describe(local, target));
    }
    if (local.hash !== lastHash) end = performance.now() + options.deadlineMs;
    lastHash = local.hash;
    if (performance.now() > end) {
      throw reason ?? new BehindError('node-does-not-follow', describe(local, target));
    }
    const missing = missingBlocks(history, relation.common, target);
    if (!missing) {
      reason = new BehindError('history-too-short', describe(local, target));
    } else {
      reason = undefined;
      if (window.isStale(local)) {
        window = new PostingWindow();
        if (!hasReset) resetPipeline(deps, call);
        hasReset = true;
      }
      window.noteLocalHead(local, missing);
      posted += await post(deps, window, missing, call);
    }
    await deps.sleep(POLL_MS, options.signal);
  }
}

/** op-node may believe in a head that its client has lost; the head shows whether the reset helps. */
function resetPipeline({ opNode, logger }: NodeAndChain, call: CallOptions): void {
  logger.warn('posted blocks do not move the head: resetting the pipeline of op-node');
  opNode
    .resetPipeline(call)
    .catch((error: Error) => logger.debug({ reason: error.message }, 'op-node did not reset its pipeline'));
}

function targetOf(head: NodeAndChain['history']['head'], upTo: Extent): BlockId | undefined {
  if (!head || upTo === 'head') return head;
  const { number, parentHash } = head;
  return number === 0 || parentHash === undefined ? undefined : { number: number - 1, hash: parentHash };
}

function missingBlocks(
  history: NodeAndChain['history'],
  common: number | undefined,
  target: BlockId,
): readonly CommittedBlock[] | undefined {
  if (common === undefined) return undefined;
  return history.blocksAbove(common)?.filter(({ number }) => number <= target.number);
}

const describe = (local: BlockId, target: BlockId): string =>
  `unsafe head mismatch: the local node is at ${local.number} (${local.hash}), the committed chain is at ${target.number} (${target.hash})`;

/** Keeps track of blocks that were posted but not imported yet. */
class PostingWindow {
  /** By hash: a block may be replaced by another of its height while it waits. */
  private readonly waiting = new Map<string, CommittedBlock>();
  private lastHash = '';
  private movedAtMs = performance.now();

  /** @param missing all committed blocks that the local chain lacks, contiguous */
  noteLocalHead(local: BlockRef, missing: readonly CommittedBlock[]): void {
    if (local.hash !== this.lastHash) this.movedAtMs = performance.now();
    this.lastHash = local.hash;
    const firstNumber = missing[0]?.number ?? 0;
    for (const { number, hash } of this.waiting.values()) {
      if (missing[number - firstNumber]?.hash !== hash) this.waiting.delete(hash);
    }
  }

  isStale(local: BlockRef): boolean {
    return (
      this.waiting.size > 0 &&
      local.hash === this.lastHash &&
      performance.now() - this.movedAtMs > REPOST_AFTER_MS
    );
  }

  has(block: CommittedBlock): boolean {
    return this.waiting.has(block.hash);
  }

  get isFull(): boolean {
    const bytes = [...this.waiting.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    return this.waiting.size >= WINDOW_BLOCKS || bytes >= WINDOW_BYTES;
  }

  add(block: CommittedBlock): void {
    this.waiting.set(block.hash, block);
  }
}

async function post(
  deps: NodeAndChain,
  window: PostingWindow,
  missing: readonly CommittedBlock[],
  call: CallOptions,
): Promise<number> {
  let count = 0;
  for (const block of missing) {
    if (window.isFull) break;
    if (window.has(block)) continue;
    const envelope = envelopeJson(await deps.history.payload(block));
    await deps.opNode.postUnsafePayload(envelope, call);
    window.add(block);
    count += 1;
  }
  return count;
}
