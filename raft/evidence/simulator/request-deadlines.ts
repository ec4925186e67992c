import type { NodeId } from '../../core/configuration.js';
import type { EventQueue } from './event-queue.js';

/**
 * The unanswered requests of one process. All have the same deadline, so they end in the order in which they began, and one
 * scheduled event at a time is enough.
 */
export class RequestDeadlines {
  private readonly open = new Map<number, { to: NodeId; endsAtMs: number }>();
  private armed = false;
  private stopped = false;

  constructor(
    private readonly queue: EventQueue,
    private readonly timeoutMs: number,
    private readonly onFailed: (to: NodeId, requestId: number) => void,
  ) {}

  begin(to: NodeId, requestId: number): void {
    this.open.set(requestId, { to, endsAtMs: this.queue.nowMs + this.timeoutMs });
    this.arm();
  }

  /** True while its deadline has not passed, and no response has come. */
  waitsFor(requestId: number): boolean {
    return this.open.has(requestId);
  }

  /** The request makes progress, which extends its deadline. */
  extend(requestId: number): void {
    const request = this.open.get(requestId);
    if (!request) return;
    this.open.delete(requestId);
    this.begin(request.to, requestId);
  }

  /** True when the request waited for this. */
  end(requestId: number): boolean {
    return this.open.delete(requestId);
  }

  fail(requestId: number): void {
    const request = this.open.get(requestId);
    if (!request || this.stopped) return;
    this.open.delete(requestId);
    this.onFailed(request.to, requestId);
  }

  stop(): void {
    this.stopped = true;
  }

  private arm(): void {
    if (this.armed || this.stopped) return;
    for (const { endsAtMs } of this.open.values()) {
      this.armed = true;
      this.queue.at(endsAtMs, () => this.expire());
      return;
    }
  }

  private expire(): void {
    this.armed = false;
    for (const [requestId, request] of this.open) {
      if (request.endsAtMs > this.queue.nowMs) break;
      this.fail(requestId);
    }
    this.arm();
  }
}
