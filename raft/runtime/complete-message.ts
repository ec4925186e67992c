import type { Entry } from '../core/entries.js';
import type { RequestMessage } from '../core/messages.js';
import type { Storage } from '../storage/storage.js';

/** True when the core still had all data that the message needs. */
export function isComplete(message: RequestMessage): boolean {
  return message.type !== 'append' || message.entries.every((entry) => entry.data !== undefined);
}

/**
 * The message with the data that the core no longer has in memory. If the log has been cut or compacted since, the message
 * is void and the promise rejects.
 */
export async function withData(message: RequestMessage, storage: Storage): Promise<RequestMessage> {
  if (message.type !== 'append') return message;
  return { ...message, entries: await loadEntries(message.entries, storage) };
}

async function loadEntries(entries: readonly Entry[], storage: Storage): Promise<Entry[]> {
  const missing = entries.filter((entry) => entry.data === undefined);
  const [first, last] = [missing[0], missing.at(-1)];
  if (!first || !last) return [...entries];
  const stored = await storage.readEntries(first.index, last.index, Infinity);
  return entries.map((entry) => {
    if (entry.data !== undefined) return entry;
    const found = stored[entry.index - first.index];
    if (found?.term !== entry.term) throw new Error('the log was cut');
    return found;
  });
}
