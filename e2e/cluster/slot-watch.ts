import { setTimeout as sleep } from 'node:timers/promises';
import { longestGap } from './longest-gap.js';
import { waitFor } from './wait-for.js';

const POLL_MS = 20;
/** A measurement ends with blocks that come after it. */
const BLOCKS_AFTER = 2;

/** Notes when a chain grows, to say how many slots passed without a block. */
export class SlotWatch {
  private readonly grewAtMs: number[] = [];
  private height = -1;
  private readonly stopping = new AbortController();
  private readonly polling: Promise<void>;

  constructor(
    /** Height of the highest block that any node has now. */
    private readonly currentHeight: () => Promise<number>,
    private readonly slotMs: number,
  ) {
    this.polling = this.poll();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.polling;
  }

  /** Does this, waits until blocks come, and returns the most slots in a row that passed without one. */
  async emptySlotsDuring(work: () => Promise<void>): Promise<number> {
    await waitFor('the first block', () => this.height >= 0);
    const fromMs = this.grewAtMs.at(-1) ?? 0;
    await work();
    const { height } = this;
    await waitFor(`block ${height + BLOCKS_AFTER}`, () => this.height >= height + BLOCKS_AFTER, 60_000);
    const { ms } = longestGap(this.grewAtMs, fromMs, this.grewAtMs.at(-1) ?? 0);
    return Math.max(0, Math.floor(ms / this.slotMs) - 1);
  }

  private async poll(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const highest = await this.currentHeight();
      if (highest > this.height) {
        this.height = highest;
        this.grewAtMs.push(performance.now());
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
