import { MemoryStorage, type MemoryDisk } from '../../../../raft/index.js';
import type { Lifetime } from '../time/lifetime.js';

type Persist = Parameters<MemoryStorage['write']>[0];

/** A slow disk. The current write of a dying process is written whole or not at all. */
export class SlowStorage extends MemoryStorage {
  private underWay: { persist: Persist; clusterId: string | undefined } | undefined;

  constructor(
    disk: MemoryDisk,
    private readonly lifetime: Lifetime,
    private readonly options: { writeMs: () => number; survivesDeath: () => boolean },
  ) {
    super(disk);
    lifetime.onEnd(() => this.leave());
  }

  override async write(persist: Persist, clusterId?: string): Promise<void> {
    // Copies the bytes now, because the core may evict them later.
    const write = { ...persist, entries: persist.entries.map((entry) => ({ ...entry })) };
    this.underWay = { persist: write, clusterId };
    await this.lifetime.sleep(this.options.writeMs());
    this.underWay = undefined;
    await super.write(write, clusterId);
  }

  private leave(): void {
    const { underWay } = this;
    this.underWay = undefined;
    if (underWay && this.options.survivesDeath()) void super.write(underWay.persist, underWay.clusterId);
  }
}
