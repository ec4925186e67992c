import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { withDeadline } from '../../../common/deadline.js';
import type { LargeBodies, LargeCall } from '../json-rpc/dispatcher.js';
import { decodeArguments, tooManyArguments, type Method } from '../json-rpc/method-table.js';
import { RpcError } from '../json-rpc/rpc-error.js';
import { tooLarge, type LargeBody } from './read-large-body.js';

export interface LargeBodyReaderOptions {
  logger: Logger;
  /** For one body, once its turn has come. */
  timeoutMs?: number;
  /** The thread ends this long after the last body, so that an idle process keeps no memory for it. */
  idleMs?: number;
  /** The script that the thread runs. */
  script?: URL;
}

/** A body of 32 MiB takes a tenth of a second, and the start of the thread as much. */
const TIMEOUT_MS = 5_000;
const IDLE_MS = 60_000;

/**
 * Parses and decodes large bodies in its own thread, one at a time: heartbeats must not wait for a JSON.parse of 32
 * MiB. Bodies go there and payloads come back without a copy. The thread exists only while there is work.
 */
export class LargeBodyReader implements LargeBodies {
  private thread: Worker | undefined;
  private busy = false;
  private readonly waiting: (() => void)[] = [];
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly options: LargeBodyReaderOptions) {}

  async read(body: Buffer, gone: AbortSignal): Promise<LargeCall | string> {
    await this.turn(gone);
    const bytes = body.length;
    try {
      return toCall(await this.exchange(body));
    } catch (error) {
      const { message } = error as Error;
      this.options.logger.error({ reason: message, bytes }, 'large body not decoded');
      throw new RpcError(`the body could not be decoded: ${message}`, {
        reason: 'decoder-failed',
        cause: error,
      });
    } finally {
      this.passOn();
    }
  }

  /** Ends the thread; a body under way is answered with an error. */
  async close(): Promise<void> {
    clearTimeout(this.idle);
    await this.endThread();
  }

  /** The body of a client that is gone leaves the queue at once: it must not stay in memory. */
  private turn(gone: AbortSignal): Promise<void> {
    if (gone.aborted) return Promise.reject(clientGone());
    if (!this.busy) {
      this.busy = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(begin), 1);
        reject(clientGone());
      };
      const begin = (): void => {
        gone.removeEventListener('abort', leave);
        resolve();
      };
      this.waiting.push(begin);
      gone.addEventListener('abort', leave, { once: true });
    });
  }

  private passOn(): void {
    const next = this.waiting.shift();
    if (next) return next();
    this.busy = false;
    clearTimeout(this.idle);
    this.idle = setTimeout(() => void this.endThread(), this.options.idleMs ?? IDLE_MS).unref();
  }

  private async exchange(body: Buffer): Promise<LargeBody> {
    clearTimeout(this.idle);
    const thread = (this.thread ??= this.startThread());
    let settle = (): void => undefined;
    const answer = new Promise<LargeBody>((resolve, reject) => {
      const failed = (error: Error): void => reject(error);
      const ended = (): void => reject(new Error('the decoder ended'));
      thread.once('message', resolve).once('error', failed).once('exit', ended);
      settle = () => thread.off('message', resolve).off('error', failed).off('exit', ended);
    });
    thread.postMessage(body, [body.buffer as ArrayBuffer]);
    try {
      return await withDeadline(() => answer, { timeoutMs: this.options.timeoutMs ?? TIMEOUT_MS });
    } catch (error) {
      // If the thread still works on it, its answer would be mistaken for that to the next body.
      void this.endThread();
      throw error;
    } finally {
      settle();
    }
  }

  private startThread(): Worker {
    const thread = new Worker(this.options.script ?? new URL('./thread.js', import.meta.url));
    // Always has a listener: an error without one would end the process.
    thread.on('error', () => undefined);
    thread.once('exit', () => {
      if (this.thread === thread) this.thread = undefined;
    });
    thread.unref();
    return thread;
  }

  /** From here on the next body gets another thread; this one takes a moment to end. */
  private async endThread(): Promise<void> {
    const { thread } = this;
    this.thread = undefined;
    await thread?.terminate();
  }
}

function clientGone(): RpcError {
  return new RpcError('the client is gone', { reason: 'aborted' });
}

function toCall(read: LargeBody): LargeCall | string {
  if (typeof read === 'string') return read;
  const { found, ...call } = read;
  return { ...call, argumentsFor: (params) => argumentsFrom(found, params) };
}

function argumentsFrom(found: Exclude<LargeBody, string>['found'], params: Method['params']): unknown[] {
  if ('refused' in found) {
    const { message, ...details } = found.refused;
    throw new RpcError(message, details);
  }
  if ('count' in found) {
    if (found.count > params.length) throw tooManyArguments(params);
    if (found.count > 0) throw tooLarge('this method');
    return decodeArguments(params, []);
  }
  // Between threads a Buffer becomes a plain array of bytes.
  const { buffer, byteOffset, byteLength } = found.ssz;
  return [{ ...found, ssz: Buffer.from(buffer, byteOffset, byteLength) }];
}
