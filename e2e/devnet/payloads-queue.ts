import type { Hex } from 'viem';
import { refOf, type PayloadEnvelope } from './payload.js';

/**
 * op-node's queue of unsafe payloads. The lowest number comes first, and no block is in it twice. When it is full, the
 * lowest number is dropped, since it is the likeliest to conflict or to be read from L1.
 */
export class PayloadsQueue {
  readonly #payloads: PayloadEnvelope[] = [];
  readonly #hashes = new Set<Hex>();

  /** @param limit maximum number of payloads; op-node limits memory instead, to 500 MiB */
  constructor(private readonly limit: number) {}

  get length(): number {
    return this.#payloads.length;
  }

  /** The payload with the lowest number. */
  get first(): PayloadEnvelope | undefined {
    return this.#payloads[0];
  }

  /** @returns false for a block that is already there, or too low for a full queue */
  push(envelope: PayloadEnvelope): boolean {
    const { hash, number } = refOf(envelope);
    if (this.#hashes.has(hash)) return false;
    const above = this.#payloads.findIndex((queued) => refOf(queued).number > number);
    this.#payloads.splice(above < 0 ? this.#payloads.length : above, 0, envelope);
    this.#hashes.add(hash);
    if (this.#payloads.length > this.limit) this.shift();
    return this.#hashes.has(hash);
  }

  /** Removes the payload with the lowest number. */
  shift(): PayloadEnvelope | undefined {
    const envelope = this.#payloads.shift();
    if (envelope !== undefined) this.#hashes.delete(refOf(envelope).hash);
    return envelope;
  }
}
