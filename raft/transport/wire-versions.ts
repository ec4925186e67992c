/** Wire formats that a node reads and writes. */
export interface WireVersions {
  oldest: number;
  newest: number;
}

/**
 * A release speaks its own format and that of the previous release (docs/FORMATS.md), so that the nodes of a cluster
 * can be upgraded one after the other.
 */
export const WIRE_VERSIONS: WireVersions = { oldest: 4, newest: 5 };

/** From this version on, large entries go before their append, in pieces. */
export const CHUNKS_ENTRIES_SINCE = 5;

/** The newest format that both sides speak; undefined when there is none. */
export function commonVersion(own: WireVersions, peer: WireVersions): number | undefined {
  const version = Math.min(own.newest, peer.newest);
  return version >= Math.max(own.oldest, peer.oldest) ? version : undefined;
}

export function isWireVersions(value: unknown): value is WireVersions {
  const { oldest, newest } = (value ?? {}) as Partial<Record<keyof WireVersions, unknown>>;
  return Number.isSafeInteger(oldest) && Number.isSafeInteger(newest);
}

/** `3`, or `3 to 4`. */
export function versionsText({ oldest, newest }: WireVersions): string {
  return oldest === newest ? `${newest}` : `${oldest} to ${newest}`;
}
