import type { Logger } from 'pino';
import type { SecurityError } from './security-error.js';
import type { SecurityRefusal, TransportSecurity } from './security.js';

/** A refused peer comes again, twenty times a second; and there may be thousands of strangers. */
const LOG_INTERVAL_MS = 10_000;

const TEXT: Record<SecurityRefusal['side'], string> = {
  listener: 'connection refused: its sender did not prove that it is a member',
  dialler: 'connection given up: the other side did not prove that it is the member',
};

interface Told {
  atMs: number;
  /** Refusals since then that were not logged. */
  more: number;
}

/** Says why a connection is refused: to the log now and then, by reason; to the counter each time. */
export class ConnectionRefusals {
  private readonly told = new Map<string, Told>();

  constructor(
    private readonly security: TransportSecurity | undefined,
    private readonly logger: Logger,
    /** Monotonic clock, ms. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  note(side: SecurityRefusal['side'], { code, message, remedy }: SecurityError, address: string): void {
    this.security?.onRefused?.({ side, code, address });
    // Those that dial here have a new port each time, and may be many: their addresses make no lines of their own.
    const key = side === 'dialler' ? `${code} ${address}` : code;
    const before = this.told.get(key);
    const now = this.now();
    if (before && now - before.atMs < LOG_INTERVAL_MS) {
      before.more += 1;
      return;
    }
    if (this.told.size > 100) this.told.clear();
    this.told.set(key, { atMs: now, more: 0 });
    const more = before && before.more > 0 ? { alsoRefused: before.more } : {};
    this.logger.warn({ code, address, reason: message, ...more, remedy }, TEXT[side]);
  }
}
