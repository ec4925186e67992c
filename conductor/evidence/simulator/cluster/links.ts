import type { Prng } from '../../../../raft/testing/prng.js';
import type { VirtualClock } from '../time/virtual-clock.js';

export interface LinkOptions {
  delayMinMs: number;
  delayMeanMs: number;
  /** Chance that a message is lost. */
  lossChance: number;
  bytesPerMs: number;
}

/** Packet size of an ordinary network. Larger messages may be lost where smaller ones pass. */
const PACKET_BYTES = 1200;

/** Carries messages between nodes. Each direction is a separate link with its own faults. */
export class Links {
  private readonly cut = new Set<string>();
  private readonly swallowing = new Set<string>();
  private readonly slow = new Map<string, number>();
  private readonly losingNew = new Set<string>();
  private readonly refusingNew = new Set<string>();
  private readonly refusedMs = new Map<string, number>();
  private readonly lastArrivalMs = new Map<string, number>();

  constructor(
    private readonly clock: Pick<VirtualClock, 'after' | 'nowMs'>,
    private readonly rng: Prng,
    /** May change during a run. */
    public options: LinkOptions,
  ) {}

  /** Nothing arrives any longer. */
  cutLink(from: string, to: string): void {
    this.cut.add(linkOf(from, to));
  }

  mendLink(from: string, to: string): void {
    this.cut.delete(linkOf(from, to));
  }

  /** Messages larger than a packet no longer arrive, as when a path's MTU is not reported. */
  swallowLarge(from: string, to: string): void {
    this.swallowing.add(linkOf(from, to));
  }

  slowDown(from: string, to: string, bytesPerMs: number): void {
    this.slow.set(linkOf(from, to), bytesPerMs);
  }

  /** Open connections survive, new ones fail: a full connection table or a changed firewall rule between the two. */
  loseNew(from: string, to: string): void {
    this.losingNew.add(linkOf(from, to));
  }

  /** New connections are refused although the process listens, as by a firewall that rejects. */
  refuseNew(from: string, to: string): void {
    this.refusingNew.add(linkOf(from, to));
  }

  losesNew(from: string, to: string): boolean {
    return this.losingNew.has(linkOf(from, to));
  }

  refusesNew(from: string, to: string): boolean {
    const link = linkOf(from, to);
    const refuses = this.refusingNew.has(link);
    if (refuses) this.refusedMs.set(link, this.clock.nowMs);
    return refuses;
  }

  /** A connection was refused there within this time, although the process listens. */
  hasRefused(from: string, to: string, withinMs: number): boolean {
    return this.clock.nowMs - (this.refusedMs.get(linkOf(from, to)) ?? -Infinity) <= withinMs;
  }

  /** Some fault affects this link. */
  isBroken(from: string, to: string): boolean {
    const link = linkOf(from, to);
    return [this.cut, this.slow, this.swallowing, this.losingNew, this.refusingNew].some((broken) =>
      broken.has(link),
    );
  }

  mendAll(): void {
    for (const broken of [this.cut, this.swallowing, this.slow, this.losingNew, this.refusingNew])
      broken.clear();
  }

  isCut(from: string, to: string): boolean {
    return this.cut.has(linkOf(from, to));
  }

  /** @param lane messages of one lane keep their order; undefined for unordered ones */
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
    // Messages in flight are lost when a link is cut.
    clock.after(atMs - clock.nowMs, () => {
      if (!this.cut.has(link)) arrive();
    });
  }
}

const linkOf = (from: string, to: string): string => `${from} ${to}`;
