/** Identifies a block of L1. */
export interface L1Ref {
  number: number;
  /** Its branch. Together with the number it stands for the hash. */
  branch: number;
}

/** A block of L1, with the blocks of the rollup that a batcher has put into it, by hash and in order. */
export interface L1Block extends L1Ref {
  batch: readonly string[];
}

/** L1 as one node sees it at one time. */
export class L1View {
  constructor(private readonly blocks: readonly L1Block[]) {}

  get head(): L1Block {
    return this.blocks.at(-1) as L1Block;
  }

  at(number: number): L1Block | undefined {
    return this.blocks[number];
  }

  /** A block above the head may be one that this node does not see yet, as in op-node. */
  isPlausible({ number, branch }: L1Ref): boolean {
    return number > this.head.number || this.blocks[number]?.branch === branch;
  }
}

/** L1 itself: it grows, and sometimes replaces its newest blocks with their contents. */
export class L1Chain {
  private blocks: readonly L1Block[];
  private branches = 0;

  /** @param length number of existing blocks */
  constructor(length: number) {
    this.blocks = Array.from({ length }, (_, number) => ({ number, branch: 0, batch: [] }));
  }

  get view(): L1View {
    return new L1View(this.blocks);
  }

  grow(batch: readonly string[] = []): void {
    this.blocks = [...this.blocks, { number: this.blocks.length, branch: this.branches, batch }];
  }

  /** Other blocks replace the newest ones, and one is added. */
  reorg(depth: number): void {
    this.branches += 1;
    const kept = this.blocks.slice(0, Math.max(1, this.blocks.length - depth));
    const fresh = Array.from({ length: this.blocks.length - kept.length + 1 }, (_, offset) => ({
      number: kept.length + offset,
      branch: this.branches,
      batch: [],
    }));
    this.blocks = [...kept, ...fresh];
  }
}
