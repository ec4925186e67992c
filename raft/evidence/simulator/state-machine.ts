export const EMPTY_STATE_HASH = 0x5eed;

/** Depends on everything that was ever applied, and on its order. */
export function applyToHash(state: number, index: number, data: Uint8Array): number {
  let hash = Math.imul(state ^ index, 0x9e3779b1) ^ data.length;
  // The first bytes are the proposal's number. The ledger compares the rest (I5).
  for (let at = 0; at < 8 && at < data.length; at++)
    hash = Math.imul(hash ^ (data[at] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** The application of one process. It lives in memory and begins with the snapshot on disk. */
export class StateMachine {
  private base = 0;
  /** State after each index from `base` on, so that a snapshot can be made at each of them. */
  private hashes: number[] = [EMPTY_STATE_HASH];

  get index(): number {
    return this.base + this.hashes.length - 1;
  }

  get hash(): number {
    return this.hashes.at(-1) as number;
  }

  apply(data: Uint8Array): void {
    this.hashes.push(applyToHash(this.hash, this.index + 1, data));
  }

  snapshotAt(index: number): Uint8Array {
    const data = new DataView(new ArrayBuffer(8));
    data.setUint32(0, index);
    data.setUint32(4, this.hashes[index - this.base] as number);
    return new Uint8Array(data.buffer);
  }

  restore(snapshot: Uint8Array): void {
    const data = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
    this.base = data.getUint32(0);
    this.hashes = [data.getUint32(4)];
  }
}
