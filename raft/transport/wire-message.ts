import type { EntryHeader } from '../core/entries.js';
import type { Message, RequestMessage, ResponseMessage } from '../core/messages.js';
import type { SnapshotId } from '../storage/snapshot-stream.js';

/**
 * A piece of a snapshot on its way, before the core's `snapshot` message that names it. The core knows nothing of
 * these: an old piece does no harm, as nothing is installed before a leader's message of the current term says so.
 */
export interface SnapshotChunkRequest {
  type: 'snapshotChunk';
  term: number;
  requestId: number;
  snapshot: SnapshotId;
  offset: number;
  /** Empty to ask how much of the snapshot is there already. */
  data: Uint8Array;
}

export interface SnapshotChunkResponse {
  type: 'snapshotChunkResponse';
  term: number;
  requestId: number;
  /** Bytes of this snapshot that are there now. */
  received: number;
}

/** Which entry a piece belongs to: equal ids mean equal bytes from any sender. */
export type EntryId = Pick<EntryHeader, 'index' | 'term' | 'chainHash' | 'byteLength' | 'crc'>;

/** A piece of a large entry on its way, before the append that leaves its data out. */
export interface EntryChunkRequest {
  type: 'entryChunk';
  /** Of the leader that sends it. */
  term: number;
  requestId: number;
  entry: EntryId;
  offset: number;
  data: Uint8Array;
}

export interface EntryChunkResponse {
  type: 'entryChunkResponse';
  term: number;
  requestId: number;
  /** Bytes of this entry that are there now. */
  received: number;
}

export type WireRequest = RequestMessage | SnapshotChunkRequest | EntryChunkRequest;
export type WireResponse = ResponseMessage | SnapshotChunkResponse | EntryChunkResponse;
export type WireMessage = Message | WireRequest | WireResponse;
