/** What a soak, or a part of it, has done. */
export interface Work {
  seeds: number;
  steps: number;
  virtualMs: number;
  /** What the simulated clusters committed: entries, or blocks. */
  committed: number;
  /** Counts of events, by name. */
  counts: Record<string, number>;
  failures: { seed: number; violation: string }[];
}

export const noWork = (): Work => ({
  ...{ seeds: 0, steps: 0, virtualMs: 0, committed: 0 },
  ...{ counts: {}, failures: [] },
});

/** Sums of what the workers did. */
export class Tally {
  readonly total = noWork();
  private readonly startedMs = performance.now();

  add(work: Work): void {
    const { total } = this;
    total.seeds += work.seeds;
    total.steps += work.steps;
    total.virtualMs += work.virtualMs;
    total.committed += work.committed;
    for (const [what, count] of Object.entries(work.counts)) {
      total.counts[what] = (total.counts[what] ?? 0) + count;
    }
    total.failures.push(...work.failures);
  }

  /** In one line. */
  progress(): string {
    const { seeds, steps, failures } = this.total;
    const elapsedMs = performance.now() - this.startedMs;
    const perSecond = Math.round((steps / elapsedMs) * 1000);
    return `${Math.round(elapsedMs / 1000)} s: ${seeds} seeds, ${steps} steps, ${perSecond} per second, ${failures.length} failures`;
  }

  /** Counts of events, by name. */
  counts(): [string, number][] {
    return Object.entries(this.total.counts).sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
