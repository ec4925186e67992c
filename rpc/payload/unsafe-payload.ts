import type { BlockRef } from './block-ref.js';

/**
 * An unsafe block as it travels through Baton: the SSZ envelope (docs/reference/op-conductor.md §5.2) and the few
 * fields that the chain rules need. The bytes are shared, never changed.
 */
export interface UnsafePayload {
  ref: BlockRef;
  /** SSZ of the envelope: parentBeaconBlockRoot, then the execution payload. */
  ssz: Buffer;
  /**
   * This many bytes in memory before `ssz` belong to it and are free. The header of a log entry is written there, so that
   * megabytes need not be copied.
   */
  headroomBytes?: number;
}

/** Free bytes to allocate before a payload. */
export const HEADROOM_BYTES = 64;
