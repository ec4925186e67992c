import type { Block, BlockStore } from '../chain/block-store.js';
import type { L1View } from '../chain/l1-chain.js';
import type { Lifetime } from '../time/lifetime.js';
import type { Mutex } from '../time/mutex.js';
import type { ConductorCalls } from './conductor-calls.js';
import type { Engine } from './engine.js';
import { EngineSyncingError, type BuildingJob, type ExecutionClient } from './execution-client.js';
import { CallerGone, RpcFault, type Caller } from './rpc-fault.js';

const BACK_OFF_MS = 1000;
const BACK_OFF_WHILE_SYNCING_MS = 30_000;
/** Before the time of a block, its sealing begins. */
const SEALING_MS = 50;

interface SequencerOptions {
  nodeId: string;
  blockTimeS: number;
  /** Minimum number of L1 blocks between L1's head and the origin of a new block. */
  l1Confirmations: number;
  blocks: BlockStore;
  execution: ExecutionClient;
  engine: () => Engine;
  conductor: ConductorCalls;
  events: Mutex;
  lifetime: Lifetime;
  wallMs: () => number;
  l1: () => L1View;
  /** rollup-boost: each time a job is sealed, it may give another block. */
  sealsAnew: () => boolean;
  transactionBytes: () => number;
  publish: (block: Block) => void;
  sealed: (block: Block) => void;
  started: (head: Block | null, by: 'itself' | 'conductor') => void;
  stopped: () => void;
  resetLater: () => void;
}

/** A block in progress. `job` is unknown until the engine has begun it. */
interface Building {
  onto: Block;
  job: BuildingJob | null;
  sealed: Block | null;
}

/**
 * op-node's sequencer (`op-node/rollup/sequencing/sequencer.go`), event by event. While it waits for its conductor it
 * handles no other event, and is neither started nor stopped.
 */
export class Sequencer {
  private active = false;
  private building: Building | null = null;
  private latestSealed: Block | null = null;
  /** Published blocks that may not be imported yet. */
  private published: Block | null = null;
  private latestHead: Block | null = null;
  private nextActionMs: number | null = null;
  private plan = 0;
  private headWaiters: (() => void)[] = [];

  constructor(private readonly options: SequencerOptions) {}

  get isActive(): boolean {
    return this.active;
  }

  /** op-node was started without `--sequencer.stopped`, so it does not ask the conductor. */
  startByItself(): void {
    this.begin('itself');
  }

  async start(hash: string, caller: Caller): Promise<void> {
    const { conductor, events } = this.options;
    const leads = await conductor.leader().catch((error: Error) => {
      throw new RpcFault(`sequencer leader check failed: ${error.message}`);
    });
    if (!leads) throw new RpcFault('sequencer is not the leader, aborting');
    await events.run(() => {
      if (caller.isGone) throw new CallerGone();
      const { latestHead: head } = this;
      if (this.active) throw new RpcFault('sequencer already running');
      if (!head) throw new RpcFault(`no prestate, cannot determine if sequencer start at ${hash} is safe`);
      if (head.hash !== hash) {
        throw new RpcFault(`block hash does not match: head ${head.hash}:${head.number}, received ${hash}`);
      }
      this.begin('conductor');
    });
  }

  /** Waits until the last sealed block is the head, for as long as this node leads. */
  async stop(caller: Caller): Promise<string> {
    const { conductor, events } = this.options;
    let release = await events.acquire();
    try {
      if (caller.isGone) throw new CallerGone();
      while (this.active && this.latestHead?.hash !== this.latestSealed?.hash) {
        const leads = await conductor.leader().catch(() => false);
        if (!leads) break;
        release();
        await Promise.race([
          new Promise<void>((resolve) => this.headWaiters.push(resolve)),
          caller.whenGone(),
        ]);
        release = await events.acquire();
        if (caller.isGone) throw new CallerGone();
      }
      if (!this.active) throw new RpcFault('sequencer not running');
      this.building = null;
      this.nextActionMs = null;
      this.active = false;
      this.options.stopped();
      return (this.latestHead as Block).hash;
    } finally {
      release();
    }
  }

  /** The event loop has turned. Only now does the sequencer look at what is due next. */
  schedule(): void {
    if (this.nextActionMs === null) return;
    const plan = ++this.plan;
    const { events, lifetime, wallMs } = this.options;
    lifetime.after(Math.max(0, this.nextActionMs - wallMs()), () => {
      if (plan !== this.plan) return;
      void events.run(async () => {
        if (this.nextActionMs !== null) await this.act();
        this.schedule();
      });
    });
  }

  noteHead(head: Block): void {
    const previous = this.latestHead;
    this.latestHead = head;
    for (const wake of this.headWaiters.splice(0)) wake();
    if (!this.active) return;
    // The chain has moved past what is being built.
    if (this.building && this.building.onto.number < head.number) this.building = null;
    if (head.number <= (previous?.number ?? -1)) return;
    // A block begins one block time before its own time, which is the time of its parent.
    this.nextActionMs = Math.max(this.options.wallMs(), head.timestamp * 1000);
  }

  backOff(syncing: boolean): void {
    this.nextIn(syncing ? BACK_OFF_WHILE_SYNCING_MS : BACK_OFF_MS);
    if (!this.building?.job) this.building = null;
  }

  resetBegins(): void {
    this.building = null;
    this.nextActionMs = null;
  }

  resetEnds(): void {
    this.nextIn(this.options.blockTimeS * 1000);
  }

  private begin(by: 'itself' | 'conductor'): void {
    const { latestHead: head } = this;
    if (!head || this.published?.hash !== head.hash) this.published = null;
    this.building = null;
    this.active = true;
    this.nextActionMs = this.options.wallMs();
    this.options.started(head, by);
  }

  private nextIn(ms: number): void {
    this.nextActionMs = this.active ? this.options.wallMs() + ms : null;
  }

  private async act(): Promise<void> {
    if (this.published) return this.insert(this.published);
    if (this.building?.job) return this.seal(this.building, this.building.job);
    if (!this.building) this.beginBlock();
  }

  private beginBlock(): void {
    const { latestHead: onto } = this;
    const { execution, l1, resetLater } = this.options;
    if (!onto) return void (this.nextActionMs = null);
    if (!l1().isPlausible(onto.l1Origin)) {
      resetLater();
      return this.nextIn(BACK_OFF_MS);
    }
    this.building = { onto, job: null, sealed: null };
    this.nextActionMs = null;
    try {
      this.building.job = execution.beginBuilding(onto);
    } catch (error) {
      const syncing = error instanceof EngineSyncingError;
      if (syncing) resetLater();
      return this.backOff(syncing);
    }
    const dueMs = (onto.timestamp + this.options.blockTimeS) * 1000 - SEALING_MS;
    this.nextActionMs = this.active ? Math.max(this.options.wallMs(), dueMs) : null;
  }

  private async seal(building: Building, job: BuildingJob): Promise<void> {
    const { execution, conductor, blockTimeS, sealsAnew } = this.options;
    this.nextActionMs = null;
    if (!execution.hasJob(job)) {
      // The job died with its process. Another one begins a block time later.
      this.building = null;
      this.published = null;
      return this.nextIn(blockTimeS * 1000);
    }
    if (!building.sealed || sealsAnew()) building.sealed = this.sealOnto(building.onto);
    const block = building.sealed;
    this.options.sealed(block);
    try {
      await conductor.commit(block);
    } catch {
      return this.backOff(false);
    }
    this.published = block;
    this.latestSealed = block;
    this.options.publish(block);
    await this.insert(block);
  }

  private sealOnto(onto: Block): Block {
    const { nodeId, blocks, blockTimeS, l1, l1Confirmations, transactionBytes } = this.options;
    const following = l1().at(onto.l1Origin.number + 1);
    const confirmed = following && following.number + l1Confirmations <= l1().head.number;
    return blocks.seal(onto, {
      builder: nodeId,
      timestamp: onto.timestamp + blockTimeS,
      l1Origin: confirmed ? following : onto.l1Origin,
      transactionBytes: transactionBytes(),
    });
  }

  private async insert(block: Block): Promise<void> {
    if (!(await this.options.engine().processOwn(block))) return;
    this.building = null;
    this.published = null;
  }
}
