/** Reads LevelDB's numbers and strings. A read beyond the end throws a RangeError. */
export class ByteCursor {
  at = 0;

  constructor(readonly bytes: Buffer) {}

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  /** An unsigned number, seven bits a byte. It loses precision beyond 2^53, which no field of ours reaches. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 64; scale *= 128) {
      const byte = this.bytes.readUInt8(this.at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new RangeError('unterminated number');
  }

  take(length: number): Buffer {
    if (length > this.remaining) throw new RangeError(`${length} bytes wanted, ${this.remaining} left`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** A string after its length. */
  string(): Buffer {
    return this.take(this.varint());
  }
}
