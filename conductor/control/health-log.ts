import type { Logger } from 'pino';
import type { HealthReport } from '../../health/health-report.js';

/** Logs a health report when it differs from the previous one. */
export class HealthLog {
  private last: HealthReport | undefined;

  constructor(private readonly logger: Logger) {}

  note(report: HealthReport): void {
    const { status, reasons, summary } = report;
    if (!this.last || !saysTheSame(this.last, report)) {
      const { logger } = this;
      const log = (report.healthy ? logger.info : logger.warn).bind(logger);
      log({ status, summary, reasons }, 'health changed');
    }
    this.last = report;
  }
}

/** The same checks fail in the same way; numbers in the messages may differ. */
function saysTheSame(a: HealthReport, b: HealthReport): boolean {
  return (
    a.status === b.status &&
    a.reasons.length === b.reasons.length &&
    a.reasons.every(({ check, code }, i) => check === b.reasons[i]?.check && code === b.reasons[i]?.code)
  );
}
