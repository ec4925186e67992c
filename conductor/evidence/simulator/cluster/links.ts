import type { Prng } from '../../../../raft/testing/prng.js';
import type { VirtualClock } from '../time/virtual-clock.js';

export interface LinkOptions {
  delayMinMs: number;
  delayMeanMs: number;
  /** Chance that a message is lost. */
  lossChance: number;
  bytesPerMs: number;
}

/** Of an ordinary network; what is larger than one packet may meet a hole that smaller ones do not. */
const PACKET_BYTES = 1200;

/** Carries messages between nodes. Each direction is a link of its own, with faults of its own. */
export class Links {
  private readonly cut = new Set<string>();
  private readonly swallowing = new Set<string>();
  private readonly slow = new Map<string, number>();
  private readonly lastArrivalMs = new Map<string, number>();

  constructor(
    private readonly clock: Pick<VirtualClock, 'after' | 'nowMs'>,
    private readonly rng: Prng,
    /** May be changed while it runs. */
    public options: LinkOptions,
  ) {}

  /** Nothing arrives any more. */
  cutLink(from: string, to: string): void {
    this.cut.add(linkOf(from, to));
  }

  mendLink(from: string, to: string): void {
    this.cut.delete(linkOf(from, to));
  }

  /** What is larger than a packet does not arrive any more, as where a path's MTU is not told. */
  swallowLarge(from: string, to: string): void {
    this.swallowing.add(linkOf(from, to));
  }

  slowDown(from: string, to: string, bytesPerMs: number): void {
    this.slow.set(linkOf(from, to), bytesPerMs);
  }

  mendAll(): void {
    this.cut.clear();
    this.swallowing.clear();
    this.slow.clear();
  }

  isCut(from: string, to: string): boolean {
    return this.cut.has(linkOf(from, to));
  }

  /** @param lane messages of one lane keep their order; undefined for those that keep none */
  carry(from: string, to: string, bytes: number, lane: string | undefined, arrive: () => void): void {
    const link = linkOf(from, to);
    const { delayMinMs, delayMeanMs, lossChance, bytesPerMs } = this.options;
    const { clock, rng } = this;
    const delayMs = delayMinMs + rng.exponential(delayMeanMs) + bytes / (this.slow.get(link) ?? bytesPerMs);
    const isLost = lossChance > 0 && rng.chance(lossChance);
    if (isLost || this.cut.has(link)) return;
    if (bytes > PACKET_BYTES && this.swallowing.has(link)) return;
    let atMs = clock.nowMs + delayMs;
    if (lane !== undefined) {
      const key = `${link} ${lane}`;
      atMs = Math.max(atMs, this.lastArrivalMs.get(key) ?? 0);
      this.lastArrivalMs.set(key, atMs);
    }
    // What is under way when a link is cut is lost with it.
    clock.after(atMs - clock.nowMs, () => {
      if (!this.cut.has(link)) arrive();
    });
  }
}

const linkOf = (from: string, to: string): string => `${from} ${to}`;
