import type { LoadedEntry } from '../../core/entries.js';
import type { Message } from '../../core/messages.js';
import type { SimulatedDisk } from './disk.js';

/** Fetches evicted data from the disk, as the runtime does; undefined when the disk now has other entries. */
export function completeMessage(message: Message, disk: SimulatedDisk): Message | undefined {
  if (message.type === 'snapshot' && !message.snapshot.data) {
    const stored = disk.snapshot;
    if (stored?.chainHash !== message.snapshot.chainHash) return undefined;
    return { ...message, snapshot: { ...message.snapshot, data: stored.data } };
  }
  if (message.type !== 'append' || message.entries.every((entry) => entry.data)) return message;
  const entries: LoadedEntry[] = [];
  for (const entry of message.entries) {
    const data = entry.data ?? disk.dataOf(entry.index, entry.chainHash);
    if (!data) return undefined;
    entries.push({ ...entry, data });
  }
  return { ...message, entries };
}
