import type { Logger } from 'pino';
import { request } from 'undici';
import { MIB } from '../../common/bytes.js';
import { withDeadline } from '../../common/deadline.js';
import { Dialer } from '../../common/dialer.js';
import { parseEndpoint, type Endpoint } from '../../common/endpoint.js';
import { HISTORY_SCHEMA_VERSION, type HistoryEntry } from '../../rpc/server/history.js';
import type { Sleep } from '../time/sleep.js';

interface WebhookOptions {
  /** `http://` or `https://`; a user name and password in it are sent as basic authentication. */
  url: string;
  clusterId: () => string | null;
  /** Called with the result for each entry, for metrics. */
  onOutcome: (outcome: 'sent' | 'dropped') => void;
  logger: Logger;
  sleep: Sleep;
}

const ATTEMPT_MS = 5000;
const ATTEMPTS_MAX = 8;
/** Pause between attempts, doubled up to the maximum. With the attempts, an entry is tried for about two minutes. */
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 30_000;
/** How many entries may wait; the oldest are dropped. */
const WAITING_MAX = 100;
/** A retry may get another answer after these. Every other 4xx is about the request, which stays the same. */
const PASSING_STATUS: readonly number[] = [408, 425, 429];

/**
 * Posts entries of the history to a URL, one after the other, in the background. An entry is retried until a 2xx
 * answer, but not forever: if it cannot be delivered, it is dropped, counted and logged, and stays in the history.
 */
export class Webhook {
  private readonly endpoint: Endpoint;
  private readonly dialer = new Dialer({ answerBytesMax: MIB });
  private readonly waiting: HistoryEntry[] = [];
  private readonly closing = new AbortController();
  private isBusy = false;

  /** @throws EndpointError */
  constructor(private readonly options: WebhookOptions) {
    this.endpoint = parseEndpoint(options.url);
  }

  /** Queues an entry, and returns at once. */
  send(entry: HistoryEntry): void {
    this.waiting.push(entry);
    // The first one is in flight.
    if (this.waiting.length > WAITING_MAX) this.drop(this.waiting.splice(1, 1)[0], 'too many entries wait');
    if (!this.isBusy) void this.deliver();
  }

  /** Ends the current request. Waiting entries are not delivered. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.dialer.close();
  }

  private async deliver(): Promise<void> {
    this.isBusy = true;
    for (let entry = this.waiting[0]; entry && !this.closing.signal.aborted; entry = this.waiting[0]) {
      const problem = await this.tryToPost(entry);
      if (this.closing.signal.aborted) break;
      this.waiting.shift();
      if (problem === undefined) this.options.onOutcome('sent');
      else this.drop(entry, problem);
    }
    this.isBusy = false;
  }

  /** Returns why it could not be delivered. */
  private async tryToPost(entry: HistoryEntry): Promise<string | undefined> {
    const { sleep } = this.options;
    const { signal } = this.closing;
    for (
      let attempt = 1, pauseMs = PAUSE_MIN_MS;
      ;
      attempt++, pauseMs = Math.min(PAUSE_MAX_MS, 2 * pauseMs)
    ) {
      const status = await this.post(entry).catch((error: Error) => error);
      const isDone = typeof status === 'number' && status >= 200 && status <= 299;
      if (isDone) return undefined;
      const problem = typeof status === 'number' ? `HTTP status ${status}` : textOf(status);
      const isFinal = typeof status === 'number' && status < 500 && !PASSING_STATUS.includes(status);
      if (isFinal || attempt === ATTEMPTS_MAX || signal.aborted) return problem;
      await sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  private post(entry: HistoryEntry): Promise<number> {
    const { url, authorization } = this.endpoint;
    const cluster = this.options.clusterId();
    const body = JSON.stringify({ schemaVersion: HISTORY_SCHEMA_VERSION, cluster, entry });
    const headers = {
      'content-type': 'application/json',
      ...(authorization !== undefined && { authorization }),
    };
    const work = async (signal: AbortSignal): Promise<number> => {
      const answer = await request(url, {
        ...{ method: 'POST', headers, body, signal, dispatcher: this.dialer.agent },
      });
      await answer.body.dump({ limit: MIB, signal });
      return answer.statusCode;
    };
    return withDeadline(work, { timeoutMs: ATTEMPT_MS, signal: this.closing.signal });
  }

  private drop(entry: HistoryEntry | undefined, reason: string): void {
    const { logger, onOutcome } = this.options;
    onOutcome('dropped');
    const { id, what } = entry ?? {};
    logger.warn({ to: this.endpoint.origin, id, what, reason }, 'an entry did not reach the webhook');
  }
}

/** Never includes the URL, which may hold a key. */
function textOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code ?? (error.name === 'DeadlineExceeded' ? error.message : error.name);
}
