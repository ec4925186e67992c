import type { Logger } from 'pino';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ClusterRecord } from '../chain/record.js';
import type { Sleep } from '../time/sleep.js';

interface OutboxOptions {
  /** Writes it to the log, with its own deadline. @throws RpcError */
  put: (record: ClusterRecord) => Promise<void>;
  logger: Logger;
  sleep: Sleep;
  /** Ends the waiting. */
  signal?: AbortSignal;
}

/** Records that wait for a leader. The oldest are dropped for newer ones. */
const WAITING_MAX = 100;
const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;

/** For these reasons, further attempts would fail the same way. */
const FINAL: readonly string[] = ['invalid-record'];

/**
 * Writes records to the log, one after the other, and keeps them while there is no quorum, with the time at which they
 * were made. They are in memory only, and end with the process.
 */
export class Outbox {
  private readonly waiting: ClusterRecord[] = [];
  private isBusy = false;
  private dropped = 0;
  private retry = new AbortController();

  constructor(private readonly options: OutboxOptions) {}

  /** On its way when this returns, if possible. */
  add(record: ClusterRecord): void {
    this.waiting.push(record);
    if (this.waiting.length > WAITING_MAX) {
      // The first one may be in flight, and blocks nothing.
      this.waiting.splice(1, 1);
      this.dropped += 1;
    }
    if (!this.isBusy) void this.send();
  }

  /** A change makes another attempt worthwhile: there is a leader. */
  tryNow(): void {
    this.retry.abort();
  }

  private async send(): Promise<void> {
    const { put, sleep, signal, logger } = this.options;
    this.isBusy = true;
    let pauseMs = RETRY_MIN_MS;
    for (let record = this.waiting[0]; record && !signal?.aborted; record = this.waiting[0]) {
      const reason = await put(record).then(
        () => undefined,
        (error: Error) => error,
      );
      if (reason === undefined || isFinal(reason)) {
        this.waiting.shift();
        if (reason) logger.warn({ reason: reason.message, what: record.what }, 'not recorded');
        pauseMs = RETRY_MIN_MS;
        continue;
      }
      logger.debug({ reason: reason.message, waiting: this.waiting.length }, 'recording is tried again');
      this.retry = new AbortController();
      const ends = [this.retry.signal, ...(signal ? [signal] : [])];
      await sleep(pauseMs, AbortSignal.any(ends)).catch(() => undefined);
      pauseMs = Math.min(RETRY_MAX_MS, 2 * pauseMs);
    }
    this.isBusy = false;
    this.tellDropped();
  }

  private tellDropped(): void {
    if (this.dropped === 0) return;
    this.options.logger.warn({ records: this.dropped }, 'records were lost: too many waited for a leader');
    this.dropped = 0;
  }
}

function isFinal(error: Error): boolean {
  return !(error instanceof RpcError) || FINAL.includes(error.reason);
}
