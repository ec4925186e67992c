import type { Block, BlockStore } from '../chain/block-store.js';
import type { L1View } from '../chain/l1-chain.js';
import type { Lifetime } from '../time/lifetime.js';
import type { Mutex } from '../time/mutex.js';
import { EngineSyncingError, type ExecutionClient } from './execution-client.js';
import { PayloadQueue } from './payload-queue.js';

interface EngineOptions {
  execution: ExecutionClient;
  blocks: BlockStore;
  lifetime: Lifetime;
  /** op-node handles one event at a time. */
  events: Mutex;
  l1: () => L1View;
  /** The rollup according to L1, as this node sees it. */
  safeHead: () => Block;
  /** The event loop has turned. */
  turned: () => void;
  /** The forkchoice, even if it has not changed. */
  onForkchoice: (head: Block) => void;
  /** `syncing`: the execution client lacks the requested block. */
  onTemporaryError: (syncing: boolean) => void;
  onReset: () => void;
  onResetConfirmed: () => void;
  /** Something is wrong that only a reset repairs. The reset comes when op-node notices. */
  resetLater: () => void;
  /** L1 has another chain than this node, and its blocks replace this node's. */
  onOverruled: () => void;
}

/** op-node's engine controller: the unsafe head as op-node believes it to be, and the payloads queued for it. */
export class Engine {
  /** Null until the execution client has been asked. */
  unsafeHead: Block | null = null;
  readonly queue = new PayloadQueue();

  constructor(private readonly options: EngineOptions) {}

  /** A payload came by gossip, or was posted. */
  add(block: Block): void {
    this.queue.push(block);
    this.requestForkchoice();
  }

  requestForkchoice(): void {
    void this.options.events.run(() => this.forkchoice());
  }

  /** L1 advanced, and with it the safe head, which is sent to the execution client together with the unsafe one. */
  l1Advanced(): void {
    const { execution, events, resetLater } = this.options;
    if (this.unsafeHead && execution.isRunning && !execution.has(this.unsafeHead)) return resetLater();
    void events.run(() => this.derive());
    this.requestForkchoice();
  }

  /** Adds the payload that the sequencer has sealed to this node's chain. Part of an event. */
  async processOwn(block: Block): Promise<boolean> {
    if (!(await this.insert(block))) return false;
    this.requestForkchoice();
    return true;
  }

  /**
   * Finds the heads again, as op-node does at start and whenever it has lost track: the execution client's head, or the
   * highest block below it whose L1 origin is not known to be off the canonical L1 chain.
   */
  reset(): Promise<void> {
    const { events, execution, blocks, lifetime, l1, onReset, onResetConfirmed, onTemporaryError } =
      this.options;
    return events.run(() => {
      if (lifetime.isOver) return;
      onReset();
      try {
        let head = execution.latest();
        while (!l1().isPlausible(head.l1Origin) && head.number > 0) head = blocks.get(head.parentHash);
        execution.setHead(head);
        this.unsafeHead = head;
      } catch {
        onTemporaryError(false);
        return this.options.resetLater();
      }
      this.options.onForkchoice(this.unsafeHead);
      onResetConfirmed();
      // The pipeline reads L1 again.
      void events.run(() => this.derive());
      this.requestForkchoice();
    });
  }

  private async forkchoice(): Promise<void> {
    const { unsafeHead: head } = this;
    if (this.options.lifetime.isOver) return;
    if (!head) return this.options.turned();
    this.options.onForkchoice(head);
    this.queue.dropInapplicable(head);
    const next = this.queue.nextOn(head);
    if (next && (await this.insert(next))) this.requestForkchoice();
    this.options.turned();
  }

  /**
   * Processes the chain that L1 defines. Blocks that this node has are confirmed. Where it has others, or ends, L1's
   * blocks are built and become the unsafe head one after the other.
   */
  private async derive(): Promise<void> {
    const { blocks, lifetime, safeHead, onOverruled } = this.options;
    const { unsafeHead } = this;
    if (!unsafeHead || lifetime.isOver) return;
    const safe = safeHead();
    const common = blocks.common(unsafeHead, safe);
    if (common !== safe && common !== unsafeHead) onOverruled();
    for (const block of blocks.between(common, safe)) if (!(await this.insert(block))) return;
  }

  private async insert(block: Block): Promise<boolean> {
    const { execution, lifetime, onTemporaryError, resetLater } = this.options;
    try {
      await execution.import(block, lifetime);
      this.unsafeHead = block;
      return true;
    } catch (error) {
      const syncing = error instanceof EngineSyncingError;
      onTemporaryError(syncing);
      if (syncing) resetLater();
      return false;
    }
  }
}
