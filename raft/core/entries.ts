export type EntryKind = 'noop' | 'config' | 'command';

export interface EntryHeader {
  index: number;
  term: number;
  kind: EntryKind;
  /** Length of the data in bytes. */
  byteLength: number;
  /** CRC-32 of the data. */
  crc: number;
  /** Hash of this header, chained to that of the previous entry (chain-hash.ts). Equal hashes mean equal logs. */
  chainHash: number;
}

/** `data` is undefined when the bytes were evicted from memory: the runtime reads them from storage. */
export interface Entry extends EntryHeader {
  data: Uint8Array | undefined;
}

/** An entry with its bytes. */
export interface LoadedEntry extends EntryHeader {
  data: Uint8Array;
}
