import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Hex } from 'viem';
import { buildBlock } from './block.js';
import type { ChainStore } from './chain-store.js';
import type { ConductorClient } from './conductor-client.js';
import type { Faults } from './faults.js';
import { NodeRpcError } from './json-rpc.js';
import { l1InfoDeposit, originOf, type SimulatedL1 } from './l1-info.js';
import { plausibleHead } from './l1-reset.js';
import { Mutex } from './mutex.js';
import type { P2p } from './p2p.js';
import { refOf, ZERO_HASH, type BlockRef, type PayloadEnvelope } from './payload.js';
import { randomTransactions } from './transactions.js';

export interface SequencerOptions {
  chainId: number;
  /** Whole seconds, or less than one second. */
  blockTimeMs: number;
  /** Random calldata in each block. */
  payloadBytes: number;
  /** Pause after a failed commit. */
  commitBackoffMs: number;
}

export interface SequencerParts {
  chain: ChainStore;
  conductor: Pick<ConductorClient, 'leader' | 'commitUnsafePayload'>;
  gossip: Pick<P2p, 'publish'>;
  l1: SimulatedL1;
  /** Runs everything that moves op-node's head, one thing at a time. */
  eventLoop: Mutex;
  faults: Faults;
  log: Logger;
  /** False until op-node has learned the head from its execution client. */
  hasPrestate: () => boolean;
}

/** op-node seals a block this long before its timestamp. */
const SEAL_LEAD_MS = 50;

/**
 * Builds blocks as op-node's sequencer does: seal, commit to the conductor, gossip, import. After a failed commit and a
 * pause, it commits the same payload again, for as long as the node is active and its head does not change. No two sealed
 * blocks are equal, on any node.
 *
 * Timestamps: with block times of whole seconds a block's is its parent's plus the block time, and it is sealed
 * just before; when that is past (after an outage), at once, so that blocks come back to back until the chain has
 * caught up. Block times under a second put blocks on a grid of the wall clock, and a block's timestamp is the
 * present second (several blocks share one), so that its age tells the same as on a real chain.
 */
export class Sequencer {
  readonly counts = { sealed: 0, committed: 0, commitFailures: 0 };
  #active = false;
  /** Sealed, and not known to be committed. */
  #job: PayloadEnvelope | undefined;
  /** The last block committed and gossiped here. */
  #latestSealed: BlockRef | undefined;
  #running = new AbortController();
  #pause = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  /** After a reset op-node waits for a block time before it builds. */
  #notBeforeMs = 0;
  /** Held while a block is committed: `start` and `stop` have to wait for that. */
  readonly #lock = new Mutex();

  constructor(
    private readonly options: SequencerOptions,
    private readonly parts: SequencerParts,
  ) {
    parts.chain.changes.on('head', () => this.#pause.abort());
  }

  get active(): boolean {
    return this.#active;
  }

  /** The payload that is being committed, or will be again. */
  get pending(): BlockRef | undefined {
    return this.#job && refOf(this.#job);
  }

  get latestSealed(): BlockRef | undefined {
    return this.#latestSealed;
  }

  /** Starts on top of the block `head`, which must be the current head. */
  async start(head: Hex): Promise<void> {
    let isLeader: boolean;
    try {
      isLeader = await this.parts.conductor.leader();
    } catch (error) {
      throw new NodeRpcError(`sequencer leader check failed: ${(error as Error).message}`);
    }
    if (!isLeader) throw new NodeRpcError('sequencer is not the leader, aborting');
    await this.#lock.run(() => {
      if (this.#active) throw new NodeRpcError('sequencer already running');
      if (!this.parts.hasPrestate()) {
        throw new NodeRpcError(`no prestate, cannot determine if sequencer start at ${head} is safe`);
      }
      const { hash, number } = this.#head();
      if (head !== hash) {
        throw new NodeRpcError(`block hash does not match: head ${hash}:${number}, received ${head}`);
      }
      this.#active = true;
      this.#job = undefined;
      this.#notBeforeMs = 0;
      this.#running = new AbortController();
      this.#loop = this.#run(this.#running.signal);
    });
  }

  /**
   * Stops after the current commit, and answers the head. As long as the conductor leads, a committed block
   * becomes the head first. `signal` is the caller's: when it goes away, nothing is stopped.
   */
  async stop(signal: AbortSignal): Promise<Hex> {
    await this.#lock.run(() => this.#requireActive());
    while (this.#latestSealed?.hash !== this.#head().hash) {
      const moved = once(this.parts.chain.changes, 'head', { signal });
      moved.catch(() => {});
      if (!(await this.parts.conductor.leader().catch(() => false))) break;
      if (this.#latestSealed?.hash !== this.#head().hash) await moved;
    }
    return this.#lock.run(() => {
      this.#requireActive();
      void this.halt();
      return this.#head().hash;
    });
  }

  /** op-node's event loop turns, for any reason. */
  wakeUp(): void {
    this.#pause.abort();
  }

  /**
   * op-node's reset, as soon as its event loop gets to it. It takes the execution client's head, walks back to where
   * that still derives from L1, and gives up the block under construction.
   */
  async reset(): Promise<void> {
    const { eventLoop, faults } = this.parts;
    await eventLoop.run(async () => {
      await faults.running('op-node');
      await faults.running('execution');
      this.#walkBack();
    });
  }

  /** Stops at once, without the care of `stop`. Resolves when the current commit has ended as well. */
  halt(): Promise<void> {
    this.#active = false;
    this.#job = undefined;
    this.#running.abort();
    this.#pause.abort();
    return this.#loop;
  }

  #requireActive(): void {
    if (!this.#active) throw new NodeRpcError('sequencer not running');
  }

  #head(): BlockRef {
    return refOf(this.parts.chain.unsafeHead);
  }

  async #run(stopped: AbortSignal): Promise<void> {
    // A start is noticed at the next turn of the event loop: a new head, a call that passes through it, or its timer.
    await this.#sleep(this.parts.chain.headSinceMs + 2 * this.options.blockTimeMs - Date.now());
    for (;;) {
      await this.parts.faults.running('op-node');
      await this.parts.faults.running('execution');
      if (stopped.aborted) return;
      const waitMs = this.#waitMs();
      if (waitMs > 0) await this.#sleep(waitMs);
      else if (!(await this.parts.eventLoop.run(() => this.#buildBlock(stopped))) && !stopped.aborted)
        await this.#sleep(this.options.commitBackoffMs);
    }
  }

  /** Time until there is something to do. */
  #waitMs(): number {
    if (this.#job !== undefined && refOf(this.#job).parentHash !== this.#head().hash) this.#job = undefined;
    if (this.#job !== undefined) return 0;
    return Math.max(this.#dueAtMs(), this.#notBeforeMs) - Date.now();
  }

  /** @returns false when a commit failed */
  async #buildBlock(stopped: AbortSignal): Promise<boolean> {
    // The head may have moved meanwhile.
    if (stopped.aborted || this.#waitMs() > 0) return true;
    if (!this.#derivesFromL1()) {
      this.#walkBack();
      return true;
    }
    const block = (this.#job ??= this.#seal());
    const isCommitted = await this.#lock.run(async () => !stopped.aborted && this.#commit(block));
    if (isCommitted) await this.#import(block);
    else if (this.parts.faults.resealing) this.#job = undefined;
    return isCommitted;
  }

  /** Whether the head's L1 origin is canonical: without one, no block can be built. */
  #derivesFromL1(): boolean {
    const origin = originOf(this.parts.chain.unsafeHead.executionPayload.transactions);
    return origin === undefined || this.parts.l1.isCanonical(origin);
  }

  #walkBack(): void {
    const { chain, l1 } = this.parts;
    this.#job = undefined;
    this.#notBeforeMs = Date.now() + this.options.blockTimeMs;
    chain.setHead(plausibleHead(chain, l1).hash);
  }

  async #commit(block: PayloadEnvelope): Promise<boolean> {
    const { chain, conductor, faults, gossip, log } = this.parts;
    try {
      await conductor.commitUnsafePayload(block);
    } catch (error) {
      this.counts.commitFailures++;
      const reason = (error as Error).message;
      log.warn({ ref: refOf(block) }, `failed to commit unsafe payload to conductor: ${reason}`);
      return false;
    }
    await faults.running('op-node');
    this.counts.committed++;
    this.#latestSealed = refOf(block);
    chain.notePublished(this.#latestSealed);
    gossip.publish(block);
    return true;
  }

  async #import(block: PayloadEnvelope): Promise<void> {
    const { chain, faults } = this.parts;
    await faults.running('execution');
    if (chain.byHash(refOf(block).parentHash) !== undefined) {
      chain.insert(block);
      chain.setHead(refOf(block).hash);
    }
    if (this.#job === block) this.#job = undefined;
  }

  #seal(): PayloadEnvelope {
    const { chain, l1 } = this.parts;
    const { chainId, payloadBytes } = this.options;
    const timestamp = this.#nextTimestamp();
    const parentOrigin = originOf(chain.unsafeHead.executionPayload.transactions);
    const origin = l1.originAfter(
      parentOrigin ?? { hash: ZERO_HASH, number: 0, sequenceNumber: 0 },
      timestamp,
    );
    const salt = randomBytes(16).toString('hex');
    const deposit = l1InfoDeposit(origin, l1.block(origin.number).timestamp, salt);
    this.counts.sealed++;
    return buildBlock(chain.unsafeHead, {
      timestamp,
      prevRandao: origin.hash,
      transactions: [deposit, ...randomTransactions(chainId, payloadBytes)],
    });
  }

  #nextTimestamp(): number {
    const { timestamp } = this.#head();
    const { blockTimeMs } = this.options;
    if (blockTimeMs >= 1000) return timestamp + blockTimeMs / 1000;
    return Math.max(timestamp, Math.floor(Date.now() / 1000));
  }

  #dueAtMs(): number {
    const { blockTimeMs } = this.options;
    if (blockTimeMs >= 1000) return this.#nextTimestamp() * 1000 - SEAL_LEAD_MS;
    return (Math.floor(this.parts.chain.headSinceMs / blockTimeMs) + 1) * blockTimeMs;
  }

  /** Sleeps until the time is over, the head changes, or the sequencer stops. */
  async #sleep(ms: number): Promise<void> {
    this.#pause = new AbortController();
    await sleep(ms, undefined, { signal: this.#pause.signal }).catch(() => {});
  }
}
