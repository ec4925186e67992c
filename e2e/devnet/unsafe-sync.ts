import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Hex } from 'viem';
import type { ChainStore } from './chain-store.js';
import type { Faults } from './faults.js';
import { refOf, type BlockRef, type PayloadEnvelope } from './payload.js';

/** How a payload came: by gossip, or by `admin_postUnsafePayload`. */
export type PayloadSource = 'gossip' | 'admin';

interface Received {
  envelope: PayloadEnvelope;
  source: PayloadSource;
}

/** Beyond this many, the payload that waits longest is given up. */
const MAX_WAITING = 1024;

/**
 * Imports payloads that this node did not build, after the call that brought them is answered. A payload whose
 * parent is unknown waits for it. Which block becomes the head:
 * - While this node sequences, only a block on top of the head; any other is kept and not followed.
 * - Otherwise a block above the head, whatever branch it is on, and a posted block of the head's own height.
 *   (A real op-node drops both unless they link to its head, and leaves a dead branch by derivation from L1,
 *   which is not simulated.)
 */
export class UnsafeSync {
  readonly #inbox: Received[] = [];
  readonly #waiting = new Map<Hex, Received>();
  #draining: Promise<void> | undefined;
  #imported = 0;

  constructor(
    private readonly chain: ChainStore,
    private readonly faults: Faults,
    private readonly isSequencing: () => boolean,
    private readonly log: Logger,
  ) {}

  /** Takes a payload whose hash has been verified. */
  receive(envelope: PayloadEnvelope, source: PayloadSource): void {
    this.#inbox.push({ envelope, source });
    this.#draining ??= this.#drain();
  }

  /** Resolves when everything received so far is imported, waits for its parent, or is dropped. */
  async settle(): Promise<void> {
    await this.#draining;
  }

  /** Payloads that wait for their parent. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Payloads imported since the start. */
  get imported(): number {
    return this.#imported;
  }

  async #drain(): Promise<void> {
    await nextTurn();
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      await this.faults.running('op-node');
      await this.faults.running('execution');
      this.#apply(next);
    }
    this.#draining = undefined;
  }

  #apply(first: Received): void {
    const pending = [first];
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      const ref = refOf(next.envelope);
      if (this.chain.byHash(ref.hash) === undefined && !this.#import(next, ref)) continue;
      if (this.#becomesHead(ref, next.source)) this.chain.setHead(ref.hash);
      pending.push(...this.#takeChildren(ref.hash));
    }
  }

  #import(received: Received, ref: BlockRef): boolean {
    const parent = this.chain.byHash(ref.parentHash);
    if (parent === undefined) {
      this.#wait(ref.hash, received);
      return false;
    }
    const above = refOf(parent);
    if (ref.number !== above.number + 1 || ref.timestamp < above.timestamp) {
      this.log.warn({ ref }, 'dropped a payload that contradicts its parent');
      return false;
    }
    this.chain.insert(received.envelope);
    this.#imported++;
    return true;
  }

  #becomesHead(ref: BlockRef, source: PayloadSource): boolean {
    const head = refOf(this.chain.head);
    if (this.isSequencing()) return ref.parentHash === head.hash;
    return ref.number > head.number || (source === 'admin' && ref.number === head.number);
  }

  #wait(hash: Hex, received: Received): void {
    this.#waiting.set(hash, received);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > MAX_WAITING && oldest !== undefined) this.#waiting.delete(oldest);
  }

  #takeChildren(parent: Hex): Received[] {
    const children = [...this.#waiting].filter(([, { envelope }]) => refOf(envelope).parentHash === parent);
    for (const [hash] of children) this.#waiting.delete(hash);
    return children.map(([, received]) => received);
  }
}
