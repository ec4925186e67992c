import type { WireMessage } from './wire-message.js';

/**
 * A node with an old configuration may not know the new disk of a candidate or leader, and can learn of it only from
 * that leader; a quorum may depend on the node's vote. A disk's own log says whether it may stand, and that log must be
 * as good as the voter's. Messages that end loyalty to a live leader, votes and acknowledgements count only from the
 * member's disk.
 */
export function mayComeFromAnyDisk(message: WireMessage): boolean {
  if (message.type === 'vote') return message.transferNumber === 0;
  return !message.type.endsWith('Response') && message.type !== 'timeoutNow';
}
