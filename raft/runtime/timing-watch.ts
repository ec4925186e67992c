import type { Logger } from 'pino';
import { clusterTimingOf, isSameTiming, type ClusterTiming } from '../core/timing.js';
import { judgeTiming, type MeasuredTimes } from './judge-timing.js';
import { profileOf, TIMING_PROFILES } from './timing-profiles.js';

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
      verdict: problems.length === 0 ? 'fits' : problems.map(({ text }) => text),
      ...(problems.length === 0 ? {} : { fittingProfile: fittingProfile(this.measured) ?? 'none' }),
    };
    // Across zones candidates often collide; that costs milliseconds, and is nothing to be woken for.
    if (problems.some(({ isGrave }) => isGrave)) this.logger.warn(line, message);
    else this.logger.info(line, message);
  }
}

/** The fastest profile that fits what was measured, or else one by which no living leader loses its leadership. */
function fittingProfile(measured: MeasuredTimes): string | undefined {
  const judged = Object.entries(TIMING_PROFILES).map(([name, timing]) => ({
    name,
    problems: judgeTiming(timing, measured),
  }));
  const fits = judged.find(({ problems }) => problems.length === 0);
  return (fits ?? judged.find(({ problems }) => !problems.some(({ isGrave }) => isGrave)))?.name;
}
