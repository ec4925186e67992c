import type { Block, BlockStore } from '../chain/block-store.js';

/** The engine API's answer for a block without its parent, or for a missing head. */
export class EngineSyncingError extends Error {
  override readonly name = 'EngineSyncingError';
}

/** No process answers. */
class EngineUnreachableError extends Error {
  override readonly name = 'EngineUnreachableError';
}

/** A job that was begun with attributes. Its process may die. */
export interface BuildingJob {
  readonly parent: Block;
  readonly process: number;
}

interface ExecutionClientOptions {
  blocks: BlockStore;
  /** How long a block takes to be imported. */
  importMs: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** An execution client such as geth: blocks on a disk, and which of them are canonical. */
export class ExecutionClient {
  private readonly stored = new Set<string>();
  private head: Block;
  private process = 1;
  private running = true;

  constructor(
    chain: readonly Block[],
    private readonly options: ExecutionClientOptions,
  ) {
    for (const { hash } of chain) this.stored.add(hash);
    this.head = chain.at(-1) as Block;
  }

  get isRunning(): boolean {
    return this.running;
  }

  /** The head, for observers, even while no process runs. */
  get storedHead(): Block {
    return this.head;
  }

  has({ hash }: Block): boolean {
    return this.stored.has(hash);
  }

  latest(): Block {
    this.demandRunning();
    return this.head;
  }

  canonicalAt(number: number): Block | undefined {
    this.demandRunning();
    return this.options.blocks.ancestorAt(this.head, number);
  }

  /**
   * Executes the block, and makes it the head if the caller is still alive to ask for that.
   *
   * @throws EngineSyncingError without its parent
   */
  async import(block: Block, caller: { readonly isOver: boolean }): Promise<void> {
    this.demandRunning();
    this.demandParent(block);
    const { process } = this;
    await this.options.sleep(this.options.importMs());
    if (process !== this.process) throw new EngineUnreachableError('the connection broke');
    this.demandParent(block);
    this.stored.add(block.hash);
    if (!caller.isOver) this.setHead(block);
  }

  /**
   * As op-geth: a block of its own chain below the head is not a new head (`eth/catalyst/api.go`).
   *
   * @throws EngineSyncingError for a missing block
   */
  setHead(block: Block): void {
    this.demandRunning();
    if (!this.stored.has(block.hash)) throw new EngineSyncingError('the head is not there');
    if (this.canonicalAt(block.number) !== block) this.head = block;
  }

  beginBuilding(parent: Block): BuildingJob {
    this.setHead(parent);
    return { parent, process: this.process };
  }

  /** Whether a job can still be sealed. */
  hasJob(job: BuildingJob): boolean {
    return this.running && job.process === this.process;
  }

  /** Loses some of the newest blocks, which were not on disk yet. */
  kill(lostBlocks: number): void {
    this.running = false;
    this.process += 1;
    this.lose(lostBlocks);
  }

  start(): void {
    this.running = true;
  }

  /** The newest blocks are gone, without a notice. */
  lose(count: number): void {
    for (let lost = 0; lost < count && this.head.number > 0; lost++) {
      this.stored.delete(this.head.hash);
      this.head = this.options.blocks.get(this.head.parentHash);
    }
  }

  /** A missing process is noticed before anything is executed. */
  private demandParent({ parentHash }: Block): void {
    if (!this.stored.has(parentHash)) throw new EngineSyncingError('the parent is not there');
  }

  private demandRunning(): void {
    if (!this.running) throw new EngineUnreachableError('connection refused');
  }
}
