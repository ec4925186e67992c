import { evaluate } from './evaluate.js';
import type { HealthLimits, HealthReport } from './health-report.js';
import { observe, type ProbedNode } from './observation.js';

export interface HealthMonitorOptions {
  node: ProbedNode;
  limits: HealthLimits;
  /** From the start of one round to the start of the next. */
  intervalMs: number;
  /** Deadline of every probe. A node that hangs is declared unhealthy within `intervalMs + probeTimeoutMs`. */
  probeTimeoutMs: number;
  /** Wall clock in milliseconds. */
  now: () => number;
  /** Called with the report of every round. */
  onReport: (report: HealthReport) => void;
}

/**
 * Probes the local node once per interval, the first time at once. Rounds never overlap: one that takes longer than
 * the interval is followed by the next without a pause.
 */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  readonly #stopped = new AbortController();
  #latest: HealthReport | null = null;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | null = null;
  #repeat = false;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
  }

  /** The newest report, null before the first. */
  latest(): HealthReport | null {
    return this.#latest;
  }

  start(): void {
    this.probeNow();
  }

  /**
   * Starts a round at once instead of at the end of the interval. While one is under way another follows it, since
   * that one may have asked before the event that the caller wants to see.
   */
  probeNow(): void {
    if (this.#stopped.signal.aborted) return;
    clearTimeout(this.#timer);
    if (this.#round) {
      this.#repeat = true;
      return;
    }
    const startedAt = performance.now();
    this.#round = this.#runRound().finally(() => {
      this.#round = null;
      const pauseMs = this.#repeat ? 0 : startedAt + this.#options.intervalMs - performance.now();
      this.#repeat = false;
      if (!this.#stopped.signal.aborted)
        this.#timer = setTimeout(() => this.probeNow(), Math.max(0, pauseMs));
    });
  }

  /** Ends probing for good: no report comes after the call, and nothing is open when the promise resolves. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #runRound(): Promise<void> {
    const { node, limits, probeTimeoutMs, now, onReport } = this.#options;
    const checkedAtMs = now();
    const observation = await observe(node, { signal: this.#stopped.signal, timeoutMs: probeTimeoutMs });
    if (this.#stopped.signal.aborted) return;
    const report = { ...evaluate(observation, limits, Math.floor(checkedAtMs / 1000)), checkedAtMs };
    this.#latest = report;
    onReport(report);
  }
}
