import { performance } from 'node:perf_hooks';
import type { Stimulus } from '../core/inputs.js';
import type { RequestMessage, ResponseMessage } from '../core/messages.js';
import type { Answer, Output } from '../core/outputs.js';
import type { RaftCore } from '../core/raft-core.js';
import type { Respond } from '../transport/transport-host.js';
import { Exchanges } from './exchanges.js';
import type { Outcome } from './node-options.js';
import type { WakeUpTimer } from './wake-up-timer.js';

/** How the core, or a node that is not running, answers a request. */
export type Settled = Answer | { outcome: 'rejected'; reason: 'stopped' };

export const STOPPED = { outcome: 'unknown', reason: 'this node stopped' } as const;

interface Queued {
  stimulus: Stimulus;
  /** Answers a peer's request. */
  respond: Respond | undefined;
}

export interface CorePumpOptions {
  /** Set to the core's next deadline after every step. */
  timer: Pick<WakeUpTimer, 'set' | 'stop'>;
  /** @param exchangeId of the peer's request that the step answers, if any */
  carryOut(output: Exclude<Output, { type: 'answer' }>, exchangeId: number | undefined): void;
  /** The outputs of one step are carried out. */
  onStepped(): void;
  /** A step, or carrying out its outputs, threw. */
  onError(error: Error): void;
}

/**
 * Feeds the pure core one input at a time, each with its own time, and carries out the outputs in order before the next
 * input. Keeps track of who waits for an answer: requests of this node and of its peers.
 */
export class CorePump {
  private core: RaftCore | undefined;
  private ended = false;
  private pumping = false;
  private readonly queue: Queued[] = [];
  private readonly exchanges = new Exchanges();
  private lastRequest = 0;
  private readonly requests = new Map<number, (answer: Settled) => void>();

  constructor(private readonly options: CorePumpOptions) {}

  /** From here on, inputs are accepted. */
  run(core: RaftCore): void {
    this.core = core;
  }

  get isRunning(): boolean {
    return !this.ended && this.core !== undefined;
  }

  ask(make: (id: number) => Stimulus): Promise<Outcome<object>> {
    return new Promise((resolve) => this.submit(make, resolve));
  }

  /** `settle` is called once, while the outputs of the deciding step are carried out. */
  submit(make: (id: number) => Stimulus, settle: (answer: Settled) => void): void {
    if (!this.isRunning) return settle({ outcome: 'rejected', reason: 'stopped' });
    const id = ++this.lastRequest;
    this.requests.set(id, settle);
    this.deliver(make(id));
  }

  /** May be called during a step; the input is then processed after it. */
  deliver(stimulus: Stimulus, respond?: Respond): void {
    const { core } = this;
    if (!core || this.ended) return respond?.(null);
    this.queue.push({ stimulus, respond });
    if (this.pumping) return;
    this.pumping = true;
    try {
      for (let next = this.queue.shift(); next && !this.ended; next = this.queue.shift()) {
        this.step(core, next);
      }
    } catch (error) {
      this.options.onError(error as Error);
    } finally {
      this.pumping = false;
    }
    this.options.timer.set(core.nextDeadlineMs());
  }

  /** Sends the core's answer to a waiting peer. */
  answerPeer(response: ResponseMessage): void {
    this.exchanges.answer(response);
  }

  /** The term is over: the core forgets which peers wait, except for the request that it is processing. */
  abandonPeers(exceptId?: number): void {
    this.exchanges.abandon(exceptId);
  }

  /** Accepts no more inputs. Earlier requests may or may not take effect, so waiting callers get `unknown`. */
  end(): void {
    this.ended = true;
    this.options.timer.stop();
    for (const { respond } of this.queue.splice(0)) respond?.(null);
    this.exchanges.abandon();
    for (const settle of this.requests.values()) settle(STOPPED);
    this.requests.clear();
  }

  private step(core: RaftCore, { stimulus, respond }: Queued): void {
    let input = stimulus;
    let exchangeId: number | undefined;
    if (stimulus.type === 'message' && respond) {
      const message = this.exchanges.begin(stimulus.message as RequestMessage, respond);
      exchangeId = message.requestId;
      input = { ...stimulus, message };
    }
    for (const output of core.step({ ...input, now: performance.now(), random: Math.random() })) {
      if (output.type === 'answer') this.settle(output.id, output.answer);
      else this.options.carryOut(output, exchangeId);
    }
    this.options.onStepped();
  }

  private settle(id: number, answer: Answer): void {
    const settle = this.requests.get(id);
    this.requests.delete(id);
    settle?.(answer);
  }
}
