import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { seal, unseal } from './records.js';
import { schemas } from './schemas.js';

const RECORD_BYTES = 32;

/**
 * The number of the last confirmed change, in a file beside the database.
 *
 * LevelDB silently drops a damaged tail of its log and opens with an older state. The mark is then ahead of the
 * manifest and reveals it. The mark is written after each write and never synced, so that it costs no time. It may be
 * behind an honest disk, but never ahead of it. For the same reason, damage to the mark itself means nothing.
 */
export class WriteMark {
  #file: FileHandle;
  #wanted = 0;
  #running: Promise<void> | undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @returns the mark and its number (0 when it is new or unreadable) */
  static async open(directory: string): Promise<{ mark: WriteMark; lastWriteSeq: number }> {
    const file = await open(path.join(directory, 'write-mark'), constants.O_RDWR | constants.O_CREAT);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(RECORD_BYTES), 0, RECORD_BYTES, 0);
    const length = bytesRead > 0 ? buffer.readUInt8(0) : 0;
    const lastWriteSeq = unseal(buffer.subarray(1, 1 + length), schemas.mark) ?? 0;
    return { mark: new WriteMark(file), lastWriteSeq };
  }

  /** Records a confirmed change. Returns at once. */
  set(writeSeq: number): void {
    this.#wanted = writeSeq;
    this.#running ??= this.#write().finally(() => (this.#running = undefined));
  }

  async #write(): Promise<void> {
    for (let written = 0; written !== this.#wanted;) {
      written = this.#wanted;
      const record = seal(written);
      // A mark that cannot be written only falls behind. The database reports a bad disk by itself.
      await this.#file
        .write(Buffer.concat([Buffer.of(record.length), record]), 0, null, 0)
        .catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#file.close();
  }
}
