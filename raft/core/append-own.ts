import { chainHash } from './chain-hash.js';
import type { CoreContext } from './context.js';
import type { Leadership } from './leadership-state.js';
import type { EntryKind } from './types.js';

/** Adds an entry of the leader's own term to its log; returns the index. */
export function appendOwn(
  ctx: CoreContext,
  leadership: Leadership,
  kind: EntryKind,
  data: Uint8Array,
  crc: number,
): number {
  const { log, term } = ctx;
  const entry = { index: log.lastIndex + 1, term, kind, byteLength: data.length, crc, chainHash: 0, data };
  entry.chainHash = chainHash(log.lastHash, entry);
  log.append(entry);
  leadership.uncommittedBytes += data.length;
  return entry.index;
}
