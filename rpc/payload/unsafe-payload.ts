import type { BlockRef } from './block-ref.js';

/**
 * An unsafe block as it travels through Baton: the SSZ envelope (docs/reference/op-conductor.md §5.2) and the few fields that
 * the chain rules need. The bytes are shared, never changed.
 */
export interface UnsafePayload {
  ref: BlockRef;
  /** SSZ of the envelope: parentBeaconBlockRoot, then the execution payload. */
  ssz: Buffer;
  /**
   * So many bytes before `ssz` in its memory belong to it and are free. What stands before a payload in the log is
   * written there once, instead of copying megabytes behind it.
   */
  headroomBytes?: number;
}

/** What those who allocate payloads leave free before them. */
export const HEADROOM_BYTES = 64;
