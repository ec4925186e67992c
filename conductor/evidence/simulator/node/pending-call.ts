import { ClientError, type ClientFailure } from '../../../../rpc/clients/client-error.js';
import type { Lifetime } from '../time/lifetime.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import { Caller, RpcFault } from './rpc-fault.js';

interface CallOptions {
  clock: Pick<VirtualClock, 'after'>;
  /** Lifetime of the calling process. */
  lifetime: Lifetime;
  /** One way, in milliseconds. */
  latencyMs: () => number;
  method: string;
  timeoutMs: number;
  signal: AbortSignal | undefined;
}

/**
 * One call of a conductor to a program beside it: until its answer, its deadline, its signal, or the end of either
 * process.
 */
export class PendingCall<T> {
  readonly caller = new Caller();
  private isOver = false;
  private readonly timer: NodeJS.Timeout;
  private readonly forgetEnd: () => void;
  private forgetServer: (() => void) | undefined;

  constructor(
    private readonly options: CallOptions,
    private readonly resolve: (value: T) => void,
    private readonly reject: (error: Error) => void,
  ) {
    const { lifetime, timeoutMs, signal } = options;
    this.timer = setTimeout(
      () => this.giveUp({ code: 'timeout', timeoutMs }, `no answer within ${timeoutMs} ms`),
      timeoutMs,
    );
    this.forgetEnd = lifetime.onEnd(() => this.giveUp({ code: 'aborted' }, 'this process died'));
    signal?.addEventListener('abort', this.onAbort);
    if (signal?.aborted) this.onAbort();
  }

  /** The call arrives and is served, unless it has been given up. */
  begin(serve: (call: this) => Promise<T>): void {
    if (this.isOver) return;
    this.later(() => {
      let answer: Promise<T>;
      try {
        answer = serve(this);
      } catch (error) {
        return this.fail(error as Error);
      }
      answer.then(
        (value) => this.later(() => this.end() && this.resolve(value)),
        (error: Error) => this.fail(error),
      );
    });
  }

  /** The connection breaks if that process ends before it has answered. */
  breakWhenEnds(server: Lifetime): void {
    if (!this.isOver)
      this.forgetServer = server.onEnd(() =>
        this.fail(this.failure({ code: 'unreachable' }, 'the connection broke')),
      );
  }

  /** No process accepts the call. */
  refused(): ClientError {
    return this.failure({ code: 'unreachable', refused: true }, 'connection refused');
  }

  private readonly onAbort = (): void => this.giveUp({ code: 'aborted' }, 'aborted');

  private giveUp(failure: ClientFailure, detail: string): void {
    this.caller.hangUp();
    if (this.end()) this.reject(this.failure(failure, detail));
  }

  private fail(error: Error): void {
    this.later(() => this.end() && this.reject(this.asFailure(error)));
  }

  /** @returns whether the caller still waits for it */
  private end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    clearTimeout(this.timer);
    this.forgetEnd();
    this.forgetServer?.();
    const { signal, lifetime } = this.options;
    signal?.removeEventListener('abort', this.onAbort);
    return !lifetime.isOver;
  }

  private later(run: () => void): void {
    this.options.clock.after(this.options.latencyMs(), run);
  }

  private asFailure(error: Error): Error {
    if (!(error instanceof RpcFault)) return error;
    return this.failure({ code: 'rpc-error', rpcCode: -32000, rpcMessage: error.message }, error.message);
  }

  private failure(failure: ClientFailure, detail: string): ClientError {
    return new ClientError(failure, this.options.method, 'http://local', detail);
  }
}
