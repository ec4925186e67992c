import { evaluate } from './evaluate.js';
import type { HealthLimits, HealthReport } from './health-report.js';
import { Streaks } from './streaks.js';
import { ask, type Observation, type Probe, type Probed, type Probes } from './probes/observation.js';

export interface HealthMonitorOptions {
  probes: Probes;
  limits: HealthLimits;
  /** From the start of one round to the start of the next. */
  intervalMs: number;
  /** Wall clock in milliseconds. */
  now: () => number;
  /** Called with the report of every round, and with one for each later answer. */
  onReport: (report: HealthReport) => void;
}

type Question = keyof Probes;

/** After this time, a round is reported with the answers so far. Each later answer is reported when it comes. */
const REPORT_AFTER_MS = 250;

/**
 * Runs all probes in parallel once per interval, the first time at once. A hanging probe delays no other: the round is
 * reported with its last answer, and it counts against the node at its own deadline. A probe is not repeated while its
 * answer is outstanding.
 */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  readonly #questions: Question[];
  readonly #stopped = new AbortController();
  readonly #observation: Observation = {};
  readonly #streaks = new Streaks();
  readonly #asking = new Map<Question, Promise<void>>();
  #latest: HealthReport | null = null;
  #askedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | null = null;
  #repeat = false;
  /** The report of the current round is still to come. */
  #reportDue = false;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
    this.#questions = (Object.keys(options.probes) as Question[]).filter((name) => options.probes[name]);
  }

  /** The newest report, null before the first. */
  latest(): HealthReport | null {
    return this.#latest;
  }

  start(): void {
    this.probeNow();
  }

  /**
   * Starts a round at once instead of at the end of the interval. During a round, another one follows, since the
   * current one may have asked before the event that the caller wants to see.
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

  /** Ends probing for good. No report comes after the call, and nothing is open when the promise resolves. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await Promise.all([this.#round, ...this.#asking.values()]);
  }

  async #runRound(): Promise<void> {
    this.#reportDue = true;
    this.#askedAtMs = this.#options.now();
    for (const name of this.#questions) if (!this.#asking.has(name)) this.#ask(name);
    const answered = Promise.all(this.#asking.values());
    // The first report must be complete: a node with unknown facts is not a candidate yet.
    if (this.#latest === null) await answered;
    else await this.#orTimeout(answered);
    this.#report();
  }

  #ask(name: Question): void {
    const probe = this.#options.probes[name] as Probe<never>;
    const before = this.#observation[name] as Probed<never> | undefined;
    const asking = ask(probe, before, this.#askedAtMs, this.#stopped.signal).then((answer) => {
      this.#observation[name] = answer;
      this.#asking.delete(name);
      if (!this.#reportDue) this.#report();
    });
    this.#asking.set(name, asking);
  }

  async #orTimeout(answered: Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, REPORT_AFTER_MS);
    });
    await Promise.race([answered, timeout]);
    clearTimeout(timer);
  }

  #report(): void {
    this.#reportDue = false;
    if (this.#stopped.signal.aborted) return;
    const checkedAtMs = this.#askedAtMs;
    const verdict = evaluate(this.#observation, this.#options.limits);
    const reasons = this.#streaks.count(verdict.reasons, checkedAtMs);
    const report = { ...verdict, reasons, checkedAtMs };
    this.#latest = report;
    this.#options.onReport(report);
  }
}
