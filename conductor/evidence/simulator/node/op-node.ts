import type { L1Block } from '../../../../rpc/clients/op-node-client.js';
import type { Block, BlockStore } from '../chain/block-store.js';
import type { L1Ref, L1View } from '../chain/l1-chain.js';
import { Lifetime } from '../time/lifetime.js';
import { Mutex } from '../time/mutex.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import { ConductorCalls, type ConductorRpc } from './conductor-calls.js';
import { Engine } from './engine.js';
import type { ExecutionClient } from './execution-client.js';
import type { Caller } from './rpc-fault.js';
import { Sequencer } from './sequencer.js';

/** What op-node depends on. */
export interface OpNodeEnvironment {
  clock: VirtualClock;
  blocks: BlockStore;
  execution: ExecutionClient;
  conductor: ConductorRpc;
  blockTimeS: number;
  l1Confirmations: number;
  /** L1 as this node sees it now. */
  l1: () => L1View;
  safeHead: () => Block;
  sealsAnew: () => boolean;
  transactionBytes: () => number;
  /** How long op-node takes to notice that its execution client has another head. */
  noticeMs: () => number;
  /** Asks other nodes for the blocks from `above` up to the parent of `below`, as op-node's alternative sync does. */
  requestRange: (above: Block, below: Block, deliver: (block: Block) => void) => void;
  publish: (block: Block) => void;
  sealed: (block: Block) => void;
  /** `head` is null for a sequencer that runs before it knows its head. */
  sequencerStarted: (head: Block | null, by: 'itself' | 'conductor') => void;
  sequencerStopped: () => void;
  reset: (head: Block | null) => void;
  /** L1 has another chain than this node. */
  overruled: () => void;
}

/** One op-node process, from its start to its death. */
export class OpNode {
  readonly lifetime: Lifetime;
  private readonly events = new Mutex();
  private readonly engine: Engine;
  private readonly sequencer: Sequencer;
  private standsStill = false;
  private resetIsDue = false;
  private headAtLastTick: Block | null = null;

  /** @param activeAtStart it runs without `--sequencer.stopped` */
  constructor(
    readonly nodeId: string,
    private readonly environment: OpNodeEnvironment,
    activeAtStart: boolean,
  ) {
    const { clock, execution, blocks, l1 } = environment;
    const lifetime = new Lifetime(clock);
    const resetLater = (): void => this.resetLater();
    this.lifetime = lifetime;
    this.sequencer = new Sequencer({
      ...{ nodeId, blocks, execution, events: this.events, lifetime, l1, resetLater },
      engine: () => this.engine,
      conductor: new ConductorCalls(environment.conductor, lifetime),
      wallMs: () => clock.wallMs,
      blockTimeS: environment.blockTimeS,
      l1Confirmations: environment.l1Confirmations,
      sealsAnew: environment.sealsAnew,
      transactionBytes: environment.transactionBytes,
      publish: environment.publish,
      sealed: environment.sealed,
      started: environment.sequencerStarted,
      stopped: environment.sequencerStopped,
    });
    this.engine = new Engine({
      ...{ execution, blocks, lifetime, events: this.events, l1, resetLater },
      safeHead: environment.safeHead,
      onOverruled: environment.overruled,
      turned: () => this.sequencer.schedule(),
      onForkchoice: (head) => this.sequencer.noteHead(head),
      onTemporaryError: (syncing) => this.sequencer.backOff(syncing),
      onReset: () => this.sequencer.resetBegins(),
      onResetConfirmed: () => {
        this.sequencer.resetEnds();
        environment.reset(this.engine.unsafeHead);
      },
    });
    if (activeAtStart) this.sequencer.startByItself();
    void this.engine.reset();
    this.tick();
  }

  /** What `optimism_syncStatus` says; null before the execution client has been asked. */
  get unsafeHead(): Block | null {
    return this.engine.unsafeHead;
  }

  /** What `optimism_syncStatus` says of L1. */
  get l1Blocks(): L1Block[] {
    const view = this.environment.l1();
    const { number } = view.head;
    return [{ number, hash: nameOf(view.at(number)), parentHash: nameOf(view.at(number - 1)) }];
  }

  sequencerActive(): boolean {
    return this.sequencer.isActive;
  }

  /** @throws RpcFault with op-node's text */
  startSequencer(hash: string, caller: Caller): Promise<void> {
    return this.sequencer.start(hash, caller);
  }

  /** @throws RpcFault with op-node's text */
  stopSequencer(caller: Caller): Promise<string> {
    return this.sequencer.stop(caller);
  }

  /** By gossip or by `admin_postUnsafePayload`. The result shows later. */
  receive(block: Block): void {
    this.engine.add(block);
  }

  /** `admin_resetDerivationPipeline`. */
  reset(): Promise<void> {
    return this.engine.reset();
  }

  /** `optimism_outputAtBlock` passes through the event loop, which turns for it. */
  wakeUp(): Promise<void> {
    return this.events.run(() => this.sequencer.schedule());
  }

  /** This node's view of L1 has changed. Its pipeline resets if its current L1 block is gone. */
  l1Changed(replaced: boolean): void {
    if (replaced) this.resetLater();
    else this.engine.l1Advanced();
  }

  /**
   * The event loop hangs: nothing is handled, and the sequencer is neither started nor stopped. Another hang in the meantime
   * adds nothing: hangs that queue up would outlast the time of faults.
   */
  standStill(forMs: number): void {
    if (this.standsStill) return;
    this.standsStill = true;
    void this.events.run(() => this.lifetime.sleep(forMs)).then(() => (this.standsStill = false));
  }

  kill(): void {
    this.lifetime.end();
  }

  private resetLater(): void {
    if (this.resetIsDue) return;
    this.resetIsDue = true;
    this.lifetime.after(this.environment.noticeMs(), () => {
      this.resetIsDue = false;
      void this.engine.reset();
    });
  }

  /** op-node's alternative sync: while the head does not move and a payload waits above a gap, op-node requests the gap. */
  private tick(): void {
    this.lifetime.after(2000 * this.environment.blockTimeS, () => {
      const { unsafeHead, queue } = this.engine;
      const above = queue.lowest;
      if (unsafeHead && unsafeHead === this.headAtLastTick && above && above.number > unsafeHead.number + 1) {
        this.environment.requestRange(unsafeHead, above, (block) => {
          if (!this.lifetime.isOver) this.receive(block);
        });
      }
      this.headAtLastTick = unsafeHead;
      void this.wakeUp();
      this.tick();
    });
  }
}

/** Stands for the hash of a block of L1. */
const nameOf = (block: L1Ref | undefined): string => (block ? `${block.number}:${block.branch}` : 'none');
