import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { isSameSnapshot, isSnapshotOf, type SnapshotId } from './snapshot-stream.js';

/** A file beside the database: a half-received snapshot is never part of the node's state. */
const FILE = 'incoming-snapshot';

interface Incoming {
  id: SnapshotId;
  file: FileHandle;
  received: number;
}

/** Collects the chunks of one snapshot at a time in a file. A partial snapshot is deleted at start. */
export class SnapshotInbox {
  readonly #path: string;
  #incoming: Incoming | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(directory: string) {
    this.#path = path.join(directory, FILE);
  }

  static async open(directory: string): Promise<SnapshotInbox> {
    const inbox = new SnapshotInbox(directory);
    await inbox.#clear();
    return inbox;
  }

  /**
   * Adds a chunk that continues what is there. A chunk of another snapshot starts over; any other is ignored.
   *
   * @returns how many bytes of this snapshot are there now
   */
  receive(id: SnapshotId, offset: number, data: Uint8Array): Promise<number> {
    return this.#inTurn(async () => {
      if (this.#incoming === undefined || !isSameSnapshot(this.#incoming.id, id)) {
        await this.#clear();
        this.#incoming = { id, file: await open(this.#path, 'wx+'), received: 0 };
      }
      const incoming = this.#incoming;
      if (offset !== incoming.received || offset + data.length > id.byteLength) return incoming.received;
      for (let written = 0; written < data.length;) {
        const { bytesWritten } = await incoming.file.write(
          data,
          written,
          data.length - written,
          offset + written,
        );
        written += bytesWritten;
      }
      incoming.received += data.length;
      return incoming.received;
    });
  }

  /** The data of that snapshot, once, if it is complete and its CRC is right; otherwise undefined. */
  take(of: Pick<SnapshotId, 'index' | 'term' | 'chainHash'>): Promise<Uint8Array | undefined> {
    return this.#inTurn(async () => {
      const incoming = this.#incoming;
      if (incoming === undefined || !isSnapshotOf(incoming.id, of)) return undefined;
      const { id, file, received } = incoming;
      if (received < id.byteLength) return undefined;
      const data = Buffer.alloc(id.byteLength);
      const { bytesRead } = await file.read(data, 0, data.length, 0);
      await this.#clear();
      return bytesRead === data.length && crc32(data) === id.crc ? data : undefined;
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#clear());
  }

  async #clear(): Promise<void> {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    await incoming?.file.close();
    await rm(this.#path, { force: true });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
