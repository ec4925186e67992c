import { write } from 'node:fs';
import { MIB } from '../../common/bytes.js';

/** Lines that wait for their reader. Any more are dropped, since a reader may be away for days. */
const WAITING_BYTES_MAX = 8 * MIB;
const CHUNK_BYTES = 64 * 1024;
/** Pause before retrying a write that would have had to wait. */
const AGAIN_MS = 50;

const STDOUT = 1;

interface LogOutputOptions {
  fd?: number;
  waitingBytesMax?: number;
}

/**
 * Log lines on their way to a file or pipe. Nothing here ever makes the caller wait. A pipe without a reader, or a file
 * on a disk that hangs, blocks one thread of libuv, and lines are dropped when too many wait.
 */
export class LogOutput {
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private lostLines = 0;
  private writing = false;
  private onIdle: (() => void) | undefined;

  constructor(private readonly options: LogOutputOptions = {}) {}

  /** Called with the number of lines that were dropped, once there is room again. */
  onLost: (lines: number) => void = () => undefined;

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.waitingBytes + bytes.length > (this.options.waitingBytesMax ?? WAITING_BYTES_MAX)) {
      this.lostLines += 1;
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (!this.writing) this.writeNext();
  }

  /** @returns true when all lines are out, false if they are not after this time */
  async flush(timeoutMs: number): Promise<boolean> {
    if (!this.writing) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.onIdle = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  private writeNext(): void {
    const chunk = this.nextChunk();
    this.writing = chunk !== undefined;
    if (chunk) this.writeChunk(chunk);
    else this.onIdle?.();
  }

  private writeChunk(chunk: Buffer): void {
    write(this.options.fd ?? STDOUT, chunk, (error, bytes) => {
      // Another process has made it non-blocking.
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.writeChunk(chunk), AGAIN_MS);
        return;
      }
      // A line that cannot be written is lost: the reader went away, or the disk is full.
      const done = error ? chunk.length : bytes;
      this.waitingBytes -= done;
      if (done < chunk.length) return this.writeChunk(chunk.subarray(done));
      this.tellLost();
      this.writeNext();
    });
  }

  /** Some of the waiting lines, as one write. */
  private nextChunk(): Buffer | undefined {
    const [first] = this.waiting;
    if (first === undefined) return undefined;
    let count = 1;
    let bytes = first.length;
    while (count < this.waiting.length && bytes + this.waiting[count]!.length <= CHUNK_BYTES) {
      bytes += this.waiting[count]!.length;
      count += 1;
    }
    return Buffer.concat(this.waiting.splice(0, count), bytes);
  }

  private tellLost(): void {
    const { lostLines } = this;
    this.lostLines = 0;
    if (lostLines > 0) this.onLost(lostLines);
  }
}
