import { Fitness } from './eligibility.js';
import type { Successor } from './decide.js';

/** When leadership goes back to a member that is preferred. */
export interface HandBackTimes {
  /** Once it has been fit and caught up for this long; null: never. */
  afterMs: number | null;
  /** At most once per this time. */
  intervalMs: number;
}

/** Knows which members are preferred as leader over this one, and since when each of them could lead. Has no clock. */
export class HandBack {
  private readonly readySince = new Map<string, number>();
  private lastMs = -Infinity;

  /** @param priority of this member: those with a greater one are preferred */
  constructor(
    private readonly times: HandBackTimes,
    private readonly priority: number,
  ) {}

  /** The member that leadership should now go back to; undefined if it stays. */
  dueAt(nowMs: number, successors: readonly Successor[]): string | undefined {
    const { afterMs, intervalMs } = this.times;
    if (afterMs === null) return undefined;
    const ready = successors.filter((one) => this.isReady(one)).sort((a, b) => b.priority - a.priority);
    for (const id of this.readySince.keys())
      if (!ready.some((one) => one.id === id)) this.readySince.delete(id);
    for (const { id } of ready) if (!this.readySince.has(id)) this.readySince.set(id, nowMs);
    if (nowMs - this.lastMs < intervalMs) return undefined;
    return ready.find(({ id }) => nowMs - (this.readySince.get(id) ?? nowMs) >= afterMs)?.id;
  }

  /** It was tried; whether it succeeded does not matter. */
  tried(nowMs: number): void {
    this.lastMs = nowMs;
  }

  /** Another member leads: observations of the others are out of date. */
  forget(): void {
    this.readySince.clear();
  }

  private isReady({ fitness, lagBlocks, priority }: Successor): boolean {
    return priority > this.priority && fitness === Fitness.fit && lagBlocks === 0;
  }
}
