import { FrameError } from './errors.js';

/** Writes fixed fields into one growing buffer; big-endian throughout. */
export class ByteWriter {
  private buffer: Buffer;
  private at = 0;

  constructor(sizeHint = 256) {
    this.buffer = Buffer.allocUnsafe(sizeHint);
  }

  u8(value: number): this {
    this.reserve(1);
    this.at = this.buffer.writeUInt8(value, this.at);
    return this;
  }
  u32(value: number): this {
    this.reserve(4);
    this.at = this.buffer.writeUInt32BE(value, this.at);
    return this;
  }
  /** A non-negative safe integer in 8 bytes. */
  u53(value: number): this {
    return this.u32(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
  }
  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }
  bytes(value: Uint8Array): this {
    this.reserve(value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
    return this;
  }
  /** Length in one byte, then UTF-8. */
  shortText(value: string): this {
    const bytes = Buffer.from(value);
    return this.u8(bytes.length).bytes(bytes);
  }
  done(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  private reserve(length: number): void {
    if (this.at + length <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + length));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

/** Reads what ByteWriter wrote; every read beyond the end is a FrameError. Slices share the input's memory. */
export class ByteReader {
  private at = 0;

  constructor(private readonly buffer: Buffer) {}

  get position(): number {
    return this.at;
  }
  get remaining(): number {
    return this.buffer.length - this.at;
  }
  u8(): number {
    return this.buffer.readUInt8(this.advance(1));
  }
  u32(): number {
    return this.buffer.readUInt32BE(this.advance(4));
  }
  u53(): number {
    const high = this.u32();
    if (high >= 2 ** 21) throw new FrameError('malformed', 'an integer above 2^53');
    return high * 2 ** 32 + this.u32();
  }
  bool(): boolean {
    const value = this.u8();
    if (value > 1) throw new FrameError('malformed', `a boolean of value ${value}`);
    return value === 1;
  }
  bytes(length: number): Buffer {
    const start = this.advance(length);
    return this.buffer.subarray(start, start + length);
  }
  shortText(): string {
    return this.bytes(this.u8()).toString('utf8');
  }
  end(): void {
    if (this.remaining > 0) throw new FrameError('wrong-length', `${this.remaining} bytes after the end`);
  }

  private advance(length: number): number {
    if (length > this.remaining) {
      throw new FrameError('wrong-length', `${length} bytes wanted, ${this.remaining} left`);
    }
    const start = this.at;
    this.at += length;
    return start;
  }
}
