import { ClientError } from '../../rpc/clients/client-error.js';
import type { L1Block, SyncStatus } from '../../rpc/clients/op-node-client.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import { StartRefusedError } from '../../rpc/clients/start-refusal.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import type { ChainState, CommittedBlock } from '../chain/chain-state.js';
import type { NodeAndChain } from '../control/bring-to-head.js';
import { payloadOf, refOf } from './chain.js';

interface Posted {
  ref: BlockRef;
  atMs: number;
}

/** A call that may fail. */
type Call = Exclude<keyof FakeNode['opNode'] | keyof FakeNode['execution'], 'onDisconnect'>;

/**
 * An op-node with its execution client: a chain of blocks to which it adds what is posted, if the parent is
 * there. Its calls keep their deadline and end with their signal, as those of the real clients do.
 */
export class FakeNode {
  readonly posted: Posted[] = [];
  /** Hashes with which a start was asked for. */
  readonly starts: string[] = [];
  active = false;
  /** Whether it asks a conductor before it publishes. */
  asksConductor = true;
  /** Heights with which it was woken. */
  readonly wakeUps: number[] = [];
  /** From the post of a block to its import; blocks are imported one after the other. */
  importMs = 0;
  /** So many posted blocks are lost, as op-node does at times (issue #12448). */
  losesPosts = 0;
  /** Whether it leaves its own blocks for a posted one of another branch. */
  reorgs = true;
  /** Thrown by the next call of that name, or hangs until its signal fires. */
  readonly faults = new Map<Call, Error | 'hang'>();
  /** Heights that were asked for. */
  readonly askedNumbers: number[] = [];
  /** op-node's own head, where it is another one than the client's. */
  unsafeHead: BlockRef | undefined;
  /** How often op-node was told to look for its heads anew. */
  resets = 0;
  /** Blocks of L1 as op-node sees them. */
  l1Blocks: readonly L1Block[] = [refOf(100, 'l1')];
  /** Told before each question for the head. */
  onLatestBlock = (): void => undefined;
  private readonly queue: BlockRef[] = [];
  private importing = false;
  private isDead = false;
  private readonly disconnected: (() => void)[] = [];

  constructor(private blocks: BlockRef[]) {}

  get head(): BlockRef {
    return this.blocks.at(-1) as BlockRef;
  }

  /** Blocks that are posted and neither imported nor lost. */
  get waiting(): number {
    return this.queue.length;
  }

  get postedNumbers(): number[] {
    return this.posted.map(({ ref }) => ref.number);
  }

  /** The network brings blocks that hang on this node's chain. */
  gossip(...blocks: readonly BlockRef[]): void {
    for (const block of blocks) this.import(block);
  }

  /** Its chain ends at this height, all of a sudden; then come these blocks. */
  rewind(height: number, ...blocks: readonly BlockRef[]): void {
    this.blocks = [...this.blocks.filter(({ number }) => number <= height), ...blocks];
  }

  /** op-node and its client end as processes: connections break, and nothing listens there. */
  die(): void {
    this.isDead = true;
    for (const listener of this.disconnected) listener();
  }

  readonly opNode = {
    onDisconnect: (listener: () => void): void => void this.disconnected.push(listener),
    postUnsafePayload: async (envelope: string, options: CallOptions): Promise<void> => {
      await this.fault('postUnsafePayload', options);
      const { executionPayload: payload } = JSON.parse(envelope) as {
        executionPayload: { blockNumber: string; blockHash: string; parentHash: string; timestamp: string };
      };
      const ref = {
        number: Number(payload.blockNumber),
        hash: payload.blockHash,
        parentHash: payload.parentHash,
        timestamp: Number(payload.timestamp),
      };
      this.posted.push({ ref, atMs: performance.now() });
      if (this.losesPosts > 0) this.losesPosts -= 1;
      else if (this.unsafeHead) this.followOwnHead(ref, this.unsafeHead);
      else this.enqueue(ref);
    },
    startSequencer: async (head: string, options: CallOptions): Promise<{ alreadyRunning: boolean }> => {
      this.starts.push(head);
      await this.fault('startSequencer', options);
      if (this.active) return { alreadyRunning: true };
      const own = this.unsafeHead ?? this.head;
      if (head !== own.hash) throw hashMismatch(own, head);
      this.active = true;
      return { alreadyRunning: false };
    },
    wakeUp: async (number: number, options: CallOptions): Promise<void> => {
      this.wakeUps.push(number);
      await this.fault('wakeUp', options);
    },
    stopSequencer: async (options: CallOptions): Promise<{ head: string | null; wasRunning: boolean }> => {
      await this.fault('stopSequencer', options);
      if (!this.active) return { head: null, wasRunning: false };
      this.active = false;
      return { head: this.head.hash, wasRunning: true };
    },
    sequencerActive: async (options: CallOptions): Promise<boolean> => {
      await this.fault('sequencerActive', options);
      return this.active;
    },
    resetPipeline: async (options: CallOptions): Promise<void> => {
      await this.fault('resetPipeline', options);
      this.resets += 1;
      this.unsafeHead = undefined;
    },
    syncStatus: async (options: CallOptions): Promise<SyncStatus> => {
      await this.fault('syncStatus', options);
      return {
        unsafeL2: this.unsafeHead ?? this.head,
        safeL2: { number: 0, timestamp: 0 },
        l1Blocks: this.l1Blocks,
      };
    },
    conductorEnabled: async (options: CallOptions): Promise<boolean> => {
      await this.fault('conductorEnabled', options);
      return this.asksConductor;
    },
  };

  readonly execution = {
    onDisconnect: (listener: () => void): void => void this.disconnected.push(listener),
    latestBlock: async (options: CallOptions): Promise<BlockRef> => {
      await this.fault('latestBlock', options);
      this.onLatestBlock();
      return this.head;
    },
    blockByNumber: async (number: number, options: CallOptions): Promise<BlockRef | null> => {
      this.askedNumbers.push(number);
      await this.fault('blockByNumber', options);
      return this.blocks.find((block) => block.number === number) ?? null;
    },
  };

  private async fault(name: Call, options: CallOptions): Promise<void> {
    options.signal?.throwIfAborted();
    if (this.isDead) throw refused(name);
    const fault = this.faults.get(name);
    if (fault === undefined) return;
    if (fault !== 'hang') {
      this.faults.delete(name);
      throw fault;
    }
    await new Promise((_, reject) => {
      const timeoutMs = options.timeoutMs ?? 10_000;
      const timer = setTimeout(() => reject(noAnswer(name, timeoutMs)), timeoutMs);
      options.signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(options.signal?.reason as Error);
      });
    });
  }

  /** op-node looks at its own head alone: it drops what is at or below it, and walks on over blocks that the client has. */
  private followOwnHead(ref: BlockRef, own: BlockRef): void {
    if (ref.number <= own.number || ref.parentHash !== own.hash) return;
    this.import(ref);
    this.unsafeHead = ref.hash === this.head.hash ? undefined : ref;
  }

  private enqueue(ref: BlockRef): void {
    if (this.importMs === 0) return this.import(ref);
    this.queue.push(ref);
    if (this.importing) return;
    this.importing = true;
    setTimeout(() => this.importNext(), this.importMs);
  }

  private importNext(): void {
    const next = this.queue.shift();
    if (next) this.import(next);
    this.importing = this.queue.length > 0;
    if (this.importing) setTimeout(() => this.importNext(), this.importMs);
  }

  private import(ref: BlockRef): void {
    const parentAt = this.blocks.findIndex((block) => block.hash === ref.parentHash);
    if (parentAt < 0 || this.blocks.some((block) => block.hash === ref.hash)) return;
    if (parentAt < this.blocks.length - 1 && !this.reorgs) return;
    this.blocks = [...this.blocks.slice(0, parentAt + 1), ref];
  }
}

const refused = (name: string): ClientError =>
  new ClientError({ code: 'unreachable', refused: true }, name, 'http://op-node', 'connection refused');

const noAnswer = (name: string, timeoutMs: number): ClientError =>
  new ClientError({ code: 'timeout', timeoutMs }, name, 'http://op-node', `no answer within ${timeoutMs} ms`);

/** op-node's refusal of a start on another block than its head. */
export function hashMismatch(head: BlockRef, received: string): StartRefusedError {
  return new StartRefusedError(
    { reason: 'hash-mismatch', head },
    new Error(`block hash does not match: head ${head.hash}:${head.number}, received ${received}`),
  );
}

/** The committed chain as history, with a payload for each block. */
export function historyOf(chain: ChainState): NodeAndChain['history'] {
  return {
    get head() {
      return chain.head;
    },
    hashAt: (number) => chain.hashAt(number),
    blocksAbove: (number) => chain.blocksAbove(number),
    payload: async (block: CommittedBlock) => payloadOf(block).ssz,
  };
}
