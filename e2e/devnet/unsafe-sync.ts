import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ChainStore } from './chain-store.js';
import type { Faults } from './faults.js';
import type { Mutex } from './mutex.js';
import { PayloadsQueue } from './payloads-queue.js';
import { refOf, type PayloadEnvelope } from './payload.js';

const MAX_WAITING = 1024;

/**
 * op-node's rule for payloads that this node did not build. It is the same for gossip and `admin_postUnsafePayload`,
 * and for active and inactive nodes. Payloads queue, the lowest number first. One at or below the unsafe head is
 * dropped, and so is one directly above it with another parent. A higher one waits. One that builds on the unsafe head
 * is imported. So no payload ever takes a node from one branch to another.
 */
export class UnsafeSync {
  readonly counts = { imported: 0, dropped: 0 };
  readonly #queue = new PayloadsQueue(MAX_WAITING);
  #draining: Promise<void> | undefined;

  constructor(
    private readonly chain: ChainStore,
    private readonly faults: Faults,
    private readonly eventLoop: Mutex,
    private readonly log: Logger,
  ) {
    // Every change of the head is a forkchoice update, after which op-node checks its queue again.
    chain.changes.on('head', () => this.#wakeUp());
  }

  /** Adds a payload with a verified hash. It is processed after the call that brought it. */
  receive(envelope: PayloadEnvelope): void {
    if (!this.#queue.push(envelope)) this.log.warn({ ref: refOf(envelope) }, 'could not add unsafe payload');
    this.#wakeUp();
  }

  /** Resolves when everything received so far is imported, dropped, or waits for what is below it. */
  async settle(): Promise<void> {
    await this.#draining;
  }

  /** Payloads that wait for those below them. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Heights between the unsafe head and the first payload that waits; undefined when nothing is missing. */
  get gap(): { from: number; to: number } | undefined {
    const first = this.#queue.first;
    if (first === undefined) return undefined;
    const from = refOf(this.chain.unsafeHead).number + 1;
    const to = refOf(first).number - 1;
    return from <= to ? { from, to } : undefined;
  }

  #wakeUp(): void {
    if (this.#queue.length > 0) this.#draining ??= this.eventLoop.run(() => this.#drain());
  }

  async #drain(): Promise<void> {
    await nextTurn();
    await this.faults.running('op-node');
    await this.faults.running('execution');
    while (this.#takeFirst());
    this.#draining = undefined;
  }

  /** @returns whether there was a payload that need not wait */
  #takeFirst(): boolean {
    const envelope = this.#queue.first;
    if (envelope === undefined) return false;
    const ref = refOf(envelope);
    const head = refOf(this.chain.unsafeHead);
    if (ref.number > head.number + 1) return false;
    this.#queue.shift();
    if (ref.number <= head.number || ref.parentHash !== head.hash || ref.timestamp < head.timestamp) {
      this.counts.dropped++;
      this.log.info({ ref, head }, 'skipping unsafe payload, since it does not build onto the unsafe head');
      return true;
    }
    this.chain.insert(envelope);
    this.chain.setHead(ref.hash);
    this.counts.imported++;
    return true;
  }
}
