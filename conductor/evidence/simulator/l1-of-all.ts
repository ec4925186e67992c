import type { Prng } from '../../../raft/testing/prng.js';
import type { Block, BlockStore } from './chain/block-store.js';
import { Derivation } from './chain/derivation.js';
import { L1Chain, type L1View } from './chain/l1-chain.js';
import type { Machine } from './machine.js';
import type { SimulationOptions } from './options.js';
import type { VirtualClock } from './time/virtual-clock.js';

/** L1 blocks at the beginning. */
const LENGTH = 64;

interface L1Environment {
  clock: VirtualClock;
  rng: Prng;
  blocks: BlockStore;
  options: () => SimulationOptions['l1'];
  machines: () => readonly Machine[];
  leader: () => Machine | undefined;
}

/** L1 itself, L1 as each op-node sees it, and the batcher that writes the rollup to it. */
export class L1OfAll {
  private readonly chain = new L1Chain(LENGTH);
  private readonly views = new Map<string, L1View>();
  private derivation: Derivation | undefined;
  private batchedMs = 0;

  constructor(private readonly environment: L1Environment) {}

  get view(): L1View {
    return this.chain.view;
  }

  /** What this node sees of L1. */
  viewOf(nodeId: string): L1View {
    return this.views.get(nodeId) ?? this.chain.view;
  }

  /** The rollup according to L1, for a node that sees L1 up to here. */
  safeHead(view: L1View): Block {
    if (!this.derivation) throw new Error('the rollup has not begun');
    return this.derivation.safeHead(view);
  }

  /** The rollup begins with this block. */
  begin(genesis: Block): void {
    const { blocks } = this.environment;
    this.derivation = new Derivation(blocks, genesis);
  }

  grow(): void {
    const { clock, options } = this.environment;
    clock.after(options().blockTimeMs, () => {
      this.chain.grow(this.nextBatch());
      this.spread();
      this.grow();
    });
  }

  /** Other blocks replace the newest ones, without any rollup blocks in them. */
  reorg(depth: number): void {
    this.chain.reorg(depth);
    this.spread();
  }

  /** Like op-batcher: what the active sequencer has beyond the safe head, if that is on its chain. */
  private nextBatch(): string[] {
    const { clock, options, leader, blocks } = this.environment;
    if (clock.nowMs - this.batchedMs < options().batchEveryMs) return [];
    const opNode = leader()?.opNode;
    const head = opNode?.sequencerActive() ? opNode.unsafeHead : null;
    const safe = this.safeHead(this.chain.view);
    if (!head || !blocks.isOn(head, safe)) return [];
    this.batchedMs = clock.nowMs;
    return blocks.between(safe, head).map(({ hash }) => hash);
  }

  /** Every node sees changes after its own delay. */
  private spread(): void {
    const { clock, rng, machines, options } = this.environment;
    const { view } = this.chain;
    for (const machine of machines()) {
      clock.after(rng.between(0, options().seenWithinMs), () => {
        const before = this.viewOf(machine.nodeId);
        if (before.head.number > view.head.number) return;
        this.views.set(machine.nodeId, view);
        machine.opNode?.l1Changed(!view.isPlausible(before.head));
      });
    }
  }
}
