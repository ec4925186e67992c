import type { Entry } from '../core/entries.js';
import type { AppendRequest } from '../core/messages.js';

/**
 * Appends that have the same effect one after the other, each with at most `bytesMax` of data, or with one entry. Each
 * is the beginning of the rest, so any number of them may be lost or refused. Pure.
 */
export function splitAppend(append: AppendRequest, bytesMax: number): AppendRequest[] {
  const parts: AppendRequest[] = [];
  let { prevIndex, prevTerm, prevHash } = append;
  for (const entries of groups(append.entries, bytesMax)) {
    const commit = Math.min(append.commit, prevIndex + entries.length);
    parts.push({ ...append, prevIndex, prevTerm, prevHash, commit, entries });
    ({ index: prevIndex, term: prevTerm, chainHash: prevHash } = entries.at(-1) as Entry);
  }
  return parts.length === 0 ? [append] : parts;
}

/** Of the data in the append: an entry without them went ahead of it. */
export const dataBytesOf = ({ entries }: AppendRequest): number =>
  entries.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);

function groups(entries: readonly Entry[], bytesMax: number): Entry[][] {
  const found: Entry[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const own = entry.data?.length ?? 0;
    if (bytes + own > bytesMax) {
      found.push([]);
      bytes = 0;
    }
    found.at(-1)?.push(entry);
    bytes += own;
  }
  return found;
}
