import { chainHash } from './chain-hash.js';
import type { CoreContext } from './context.js';
import type { Leadership } from './leadership.js';
import type { EntryKind } from './types.js';

/** Adds an entry of the leader's own term to its log; returns the index. */
export function appendOwn(
  ctx: CoreContext,
  leadership: Leadership,
  kind: EntryKind,
  data: Uint8Array,
  crc: number,
): number {
  const header = { index: ctx.log.lastIndex + 1, term: ctx.term, kind, byteLength: data.length, crc };
  ctx.log.append({ ...header, chainHash: chainHash(ctx.log.lastHash, header), data });
  leadership.uncommittedBytes += data.length;
  return header.index;
}
