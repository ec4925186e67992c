import type { WireMessage } from './wire-message.js';

/**
 * A node whose configuration is old may not know the new disk of a candidate or leader, and can learn of it from that
 * leader only; a quorum may depend on its vote. Whether a disk may stand is said by its own log, and its log must be as
 * good as the voter's. What ends the loyalty to a live leader, and what counts for somebody, votes and acknowledgements,
 * counts from the member's disk alone.
 */
export function mayComeFromAnyDisk(message: WireMessage): boolean {
  if (message.type === 'vote') return message.transferNumber === 0;
  return !message.type.endsWith('Response') && message.type !== 'timeoutNow';
}
