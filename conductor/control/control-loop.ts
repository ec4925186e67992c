import type { Logger } from 'pino';
import type { Action, View } from './decide.js';
import { decide } from './decide.js';

export interface Executor {
  view(): View;
  /** Carries the action out; rejects when it failed. Must end soon after `signal` fires. */
  run(action: Exclude<Action, { type: 'none' }>, signal: AbortSignal): Promise<void>;
}

interface Running {
  action: Action;
  abort: AbortController;
  ended: Promise<void>;
}

/** Pause before a failed action is tried again; doubles up to the maximum, starts over on success. */
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 1000;

/**
 * Looks at the facts whenever one changed, decides, and has the decision carried out: one action at a time, in the
 * background. An action that is no longer the right one is aborted. Nothing here blocks or sleeps, so health,
 * leadership and RPC go on during a slow call, unlike in op-conductor (docs/reference/op-conductor.md §3.2).
 */
export class ControlLoop {
  private running: Running | undefined;
  private failures = 0;
  private notBeforeMs = -Infinity;
  private lastType: Action['type'] | undefined;
  private timer: NodeJS.Timeout | undefined;
  private lastLogged = '';
  private stopped = false;

  constructor(
    private readonly executor: Executor,
    private readonly logger: Logger,
    /** Hears how long each turn took: the decision, and the action if there was one. */
    private readonly onTurn: (durationMs: number) => void = () => undefined,
  ) {}

  /** A fact changed. */
  evaluate(): void {
    if (this.stopped) return;
    const startedMs = performance.now();
    const action = decide(this.executor.view());
    if (this.running) {
      if (!sameAction(this.running.action, action)) this.running.abort.abort(new Error('no longer needed'));
      return;
    }
    this.log(action);
    if (action.type === 'none') return this.onTurn(performance.now() - startedMs);
    const waitMs = this.notBeforeMs - performance.now();
    if (action.type === this.lastType && waitMs > 0) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.evaluate(), waitMs);
      return;
    }
    void this.start(action, startedMs);
  }

  /** Starts over without waiting, because a change makes a failed action worth another try. */
  forgetFailures(): void {
    this.failures = 0;
    this.notBeforeMs = -Infinity;
    this.lastType = undefined;
  }

  /** Aborts the current action and waits for its end. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    this.running?.abort.abort(new Error('the conductor stops'));
    await this.running?.ended;
  }

  private async start(action: Exclude<Action, { type: 'none' }>, startedMs: number): Promise<void> {
    const abort = new AbortController();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.running = { action, abort, ended };
    try {
      await this.executor.run(action, abort.signal);
      this.succeeded(action);
    } catch (error) {
      if (!abort.signal.aborted) this.failed(action, error as Error);
    } finally {
      this.running = undefined;
      end();
      this.onTurn(performance.now() - startedMs);
    }
    this.evaluate();
  }

  /** If the same action is due again right away, the facts do not show its effect yet. */
  private succeeded(action: Action): void {
    this.failures = 0;
    this.lastType = action.type;
    this.notBeforeMs = performance.now() + RETRY_MIN_MS;
  }

  private failed(action: Action, error: Error): void {
    this.failures = this.lastType === action.type ? this.failures + 1 : 1;
    this.lastType = action.type;
    const retryInMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (this.failures - 1));
    this.notBeforeMs = performance.now() + retryInMs;
    this.logger.warn(
      { action: action.type, failures: this.failures, retryInMs, err: { message: error.message } },
      'action failed',
    );
  }

  private log(action: Action): void {
    const line = `${action.type}: ${action.reason}`;
    if (line === this.lastLogged) return;
    this.lastLogged = line;
    this.logger.info({ action: action.type, reason: action.reason }, 'decided');
  }
}

function sameAction(a: Action, b: Action): boolean {
  if (a.type !== b.type) return false;
  return a.type !== 'transfer' || b.type !== 'transfer' || (a.to === b.to && a.sequencer === b.sequencer);
}
