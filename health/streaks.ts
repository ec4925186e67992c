import type { CheckName, HealthReason } from './health-report.js';

/** The age of a head needs no confirmation, because it has been growing all the time. */
const OF_AGE = new Set<CheckName>(['unsafe-head', 'safe-head']);

/** Counts for how many checks in a row each fault has lasted: one bad measurement may be a glitch. */
export class Streaks {
  private rounds = new Map<string, { failures: number; roundMs: number }>();

  /**
   * Adds `failures` to the reasons that have none.
   *
   * @param roundMs identifies the round: a second report of the same round does not count again
   */
  count(reasons: readonly HealthReason[], roundMs: number): HealthReason[] {
    const before = this.rounds;
    this.rounds = new Map();
    return reasons.map((reason) => {
      const { check, code, severity } = reason;
      if (reason.failures !== undefined || OF_AGE.has(check)) return reason;
      const name = `${check} ${code} ${severity}`;
      const streak = before.get(name) ?? { failures: 0, roundMs: NaN };
      const failures = streak.roundMs === roundMs ? streak.failures : streak.failures + 1;
      this.rounds.set(name, { failures, roundMs });
      return { ...reason, failures };
    });
  }
}
