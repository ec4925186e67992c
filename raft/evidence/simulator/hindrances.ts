import type { Message } from '../../core/messages.js';

/** Bytes of a frame without entries. */
const FRAME_BYTES = 100;
/** Bytes of an entry without data. */
const ENTRY_BYTES = 60;
/** Bytes of any snapshot. */
const SNAPSHOT_BYTES = 2 ** 20;

/** Bytes of a message on the network. Only appends differ in size. */
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
 * - `bytesPerMs`: its speed; a request whose deadline passes meanwhile is lost with its connection
 * - `noNewConnections`: open connections continue, which are those of heartbeats
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
