import { EventEmitter } from 'node:events';
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Hex } from 'viem';
import { refOf, type BlockRef, type PayloadEnvelope } from './payload.js';

export interface ChainStoreOptions {
  dataDir: string;
  genesis: PayloadEnvelope;
  /** After a stop that was not clean, forget this many blocks at the head: geth loses what it had not flushed. */
  loseBlocksAfterCrash: number;
}

type JournalEntry =
  | { genesis: Hex }
  | { block: PayloadEnvelope }
  | { head: Hex }
  | { forgetAbove: number }
  | { published: BlockRef }
  | { cleanStop: true };

/**
 * The blocks of an execution client: all by hash, those of the canonical chain by number. Every change is a line
 * in `chain.jsonl`, written before it is visible, so a SIGKILL at any time costs at most a torn last line.
 */
export class ChainStore {
  /** Emits `head` after the unsafe head changed. */
  readonly changes = new EventEmitter<{ head: [] }>();
  readonly #blocks = new Map<Hex, PayloadEnvelope>();
  readonly #canonical: Hex[] = [];
  /** Only in memory, because op-node finds it again when it starts. */
  #unsafeHead: Hex;
  readonly #file: number;
  #headSinceMs = Date.now();

  constructor(private readonly options: ChainStoreOptions) {
    mkdirSync(options.dataDir, { recursive: true });
    const file = path.join(options.dataDir, 'chain.jsonl');
    const isNew = !existsSync(file);
    this.#file = openSync(file, 'a+');
    const genesis = refOf(options.genesis).hash;
    this.#blocks.set(genesis, options.genesis);
    this.#canonical.push(genesis);
    if (isNew) this.#append({ genesis });
    else this.#recover(readFileSync(file, 'utf8'));
    this.#unsafeHead = this.#canonical.at(-1)!;
  }

  get genesis(): PayloadEnvelope {
    return this.options.genesis;
  }

  /** The execution client's. */
  get head(): PayloadEnvelope {
    return this.byHash(this.#canonical.at(-1)!)!;
  }

  /** op-node's: the client's head, or below it after op-node has walked back. */
  get unsafeHead(): PayloadEnvelope {
    return this.byHash(this.#unsafeHead)!;
  }

  /** When the unsafe head last changed; the start of the process for a head found on disk. */
  get headSinceMs(): number {
    return this.#headSinceMs;
  }

  byHash(hash: Hex): PayloadEnvelope | undefined {
    return this.#blocks.get(hash);
  }

  /** A block of the canonical chain. */
  byNumber(number: number): PayloadEnvelope | undefined {
    const hash = this.#canonical[number];
    return hash === undefined ? undefined : this.#blocks.get(hash);
  }

  /** The canonical chain from a number upwards. */
  refsFrom(number: number): BlockRef[] {
    return this.#canonical.slice(number).map((hash) => refOf(this.#blocks.get(hash)!));
  }

  /** Keeps a block whose parent is here. It becomes canonical only by `setHead`. */
  insert(block: PayloadEnvelope): void {
    const { hash } = refOf(block);
    if (this.#blocks.has(hash)) return;
    this.#append({ block });
    this.#blocks.set(hash, block);
  }

  /**
   * Records that a block built here is about to be gossiped. It changes nothing here, but a search for lost blocks finds it
   * even if the node dies before it imports the block and no peer accepts it.
   */
  notePublished(block: BlockRef): void {
    this.#append({ published: block });
  }

  /**
   * op-node's forkchoice update to a block that is here. As op-geth: a block of another branch becomes the client's head, a
   * block of its own chain below the head moves nothing.
   */
  setHead(hash: Hex): void {
    if (hash === this.#unsafeHead) return;
    if (this.#canonical[this.#require(hash).number] !== hash) {
      this.#append({ head: hash });
      this.#reorganise(hash);
    }
    this.#unsafeHead = hash;
    this.#announce();
  }

  /** Forgets every block above a number, and makes the canonical block at that number the head. */
  forgetAbove(number: number): void {
    const kept = Math.max(0, number);
    this.#append({ forgetAbove: kept });
    this.#forget(kept);
    if (!this.#blocks.has(this.#unsafeHead)) this.#unsafeHead = this.#canonical.at(-1)!;
    this.#announce();
  }

  /** Marks the stop as clean, so that nothing is lost at the next start. */
  close(): void {
    this.#append({ cleanStop: true });
    closeSync(this.#file);
  }

  #recover(journal: string): void {
    const end = journal.lastIndexOf('\n') + 1;
    ftruncateSync(this.#file, Buffer.byteLength(journal.slice(0, end)));
    const entries = journal
      .slice(0, end)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JournalEntry);
    for (const entry of entries) this.#replay(entry);
    const last = entries.at(-1);
    if (last !== undefined && !('cleanStop' in last) && this.options.loseBlocksAfterCrash > 0) {
      this.forgetAbove(refOf(this.head).number - this.options.loseBlocksAfterCrash);
    }
  }

  #replay(entry: JournalEntry): void {
    if ('genesis' in entry && entry.genesis !== refOf(this.genesis).hash) {
      throw new Error(`${this.options.dataDir} holds a chain with another genesis block: ${entry.genesis}`);
    }
    if ('block' in entry) this.#blocks.set(refOf(entry.block).hash, entry.block);
    if ('head' in entry) this.#reorganise(entry.head);
    if ('forgetAbove' in entry) this.#forget(entry.forgetAbove);
  }

  #reorganise(hash: Hex): void {
    const branch: BlockRef[] = [];
    let ref = this.#require(hash);
    while (this.#canonical[ref.number] !== ref.hash) {
      branch.push(ref);
      ref = this.#require(ref.parentHash);
    }
    this.#canonical.length = ref.number + 1;
    for (const { hash: above } of branch.reverse()) this.#canonical.push(above);
  }

  #forget(number: number): void {
    for (const [hash, block] of this.#blocks) if (refOf(block).number > number) this.#blocks.delete(hash);
    this.#canonical.length = Math.min(this.#canonical.length, number + 1);
  }

  #require(hash: Hex): BlockRef {
    const block = this.#blocks.get(hash);
    if (block === undefined) throw new Error(`block ${hash} is not in the chain store`);
    return refOf(block);
  }

  #announce(): void {
    this.#headSinceMs = Date.now();
    this.changes.emit('head');
  }

  #append(entry: JournalEntry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}
