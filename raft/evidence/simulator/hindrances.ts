import type { Message } from '../../core/messages.js';

/** Of a frame without entries. */
const FRAME_BYTES = 100;
/** Of an entry without data. */
const ENTRY_BYTES = 60;
/** Of a snapshot, whatever is in it. */
const SNAPSHOT_BYTES = 2 ** 20;

/** How much a message is on the network. Only appends are told apart by size. */
export function frameBytes(message: Message): number {
  if (message.type === 'snapshot') return SNAPSHOT_BYTES;
  if (message.type !== 'append') return FRAME_BYTES;
  return message.entries.reduce((sum, entry) => sum + ENTRY_BYTES + entry.byteLength, FRAME_BYTES);
}

/** Entries and snapshots have a connection of their own, so that heartbeats never wait for them. */
export const isBulk = ({ type }: Message): boolean => type === 'append' || type === 'snapshot';

/**
 * What a link does to large frames while it lets heartbeats pass:
 *
 * - `lossAbove`: frames of more bytes than this are lost (a path MTU that nobody learns of)
 * - `bytesPerMs`: how fast it is; a request whose deadline passes meanwhile is lost with its connection
 * - `noNewConnections`: those that are open go on, which are the ones of heartbeats
 */
export interface Hindrance {
  lossAbove?: number;
  bytesPerMs?: number;
  noNewConnections?: boolean;
}

/** No frame with an entry passes. */
export const NO_ENTRIES: Hindrance = { lossAbove: FRAME_BYTES };

export function isLostBy({ lossAbove = Infinity, noNewConnections }: Hindrance, message: Message): boolean {
  return frameBytes(message) > lossAbove || (noNewConnections === true && isBulk(message));
}
