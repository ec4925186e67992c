import type { Logger } from 'pino';
import { clusterTimingOf, isSameTiming, type ClusterTiming } from '../core/timing.js';
import { judgeTiming, type MeasuredTimes } from './judge-timing.js';
import { profileOf } from './timing-profiles.js';

const KEPT = 512;
/** Fewer samples say nothing about a 99th percentile. */
const NEEDED = 100;

/** The last durations of one kind. */
class Durations {
  private readonly kept: number[] = [];
  private next = 0;

  add(ms: number): void {
    this.kept[this.next] = ms;
    this.next = (this.next + 1) % KEPT;
  }

  get p99(): number | undefined {
    if (this.kept.length < NEEDED) return undefined;
    return [...this.kept].sort((a, b) => a - b)[Math.ceil(0.99 * this.kept.length) - 1];
  }
}

/** Logs the timing in force whenever it changes, and once when it can be compared with measurements. */
export class TimingWatch {
  private inForce: ClusterTiming | undefined;
  private isMeasured = false;
  private readonly roundTrips = new Durations();
  private readonly syncs = new Durations();
  private readonly lateness = new Durations();

  constructor(private readonly logger: Logger) {}

  roundTrip(ms: number): void {
    this.roundTrips.add(ms);
    if (this.isMeasured || !this.inForce || this.roundTrips.p99 === undefined) return;
    this.isMeasured = true;
    this.log(this.inForce, 'timing compared with measurements');
  }

  sync(ms: number): void {
    this.syncs.add(ms);
  }

  wokeUp(lateMs: number): void {
    this.lateness.add(lateMs);
  }

  /** @param source where the values come from */
  use(timing: ClusterTiming, source: string): void {
    if (this.inForce && isSameTiming(this.inForce, timing)) return;
    this.inForce = clusterTimingOf(timing);
    this.log(this.inForce, 'timing in use', source);
  }

  get measured(): MeasuredTimes {
    return { roundTripMs: this.roundTrips.p99, syncMs: this.syncs.p99, latenessMs: this.lateness.p99 };
  }

  private log(timing: ClusterTiming, message: string, source?: string): void {
    const problems = judgeTiming(timing, this.measured);
    const line = {
      profile: profileOf(timing) ?? 'free values',
      ...timing,
      ...(source === undefined ? {} : { source }),
      measured: this.measured,
      verdict: problems.length === 0 ? 'fits' : problems,
    };
    if (problems.length === 0) this.logger.info(line, message);
    else this.logger.warn(line, message);
  }
}
