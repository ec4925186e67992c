import { z } from 'zod';
import type { Manifest } from './manifest.js';
import { SNAPSHOT_CHUNK_BYTES, type StoredSnapshot } from './snapshot-stream.js';
import type { Identity } from './storage.js';

/**
 * Shapes of the sealed records. A CRC proves that a record is unchanged, not who wrote it. So nothing is allocated or
 * believed before its numbers are checked.
 */
const count = z.int().nonnegative();
const position = z.object({ index: count, term: count, chainHash: count });
const hex16 = z.string().regex(/^[0-9a-f]{32}$/);

const manifest: z.ZodType<Manifest> = z.object({
  writeSeq: count,
  hardState: z.object({
    term: count,
    votedFor: z.string().nullable(),
    commit: count,
    reverted: z.boolean().exactOptional(),
  }),
  base: position,
  last: position,
});

const identity: z.ZodType<Identity> = z.object({
  nodeId: z.string(),
  incarnation: hex16,
  clusterId: z.string().min(1).nullable(),
  epoch: count.optional(),
});

const members = z.array(
  z.looseObject({ id: z.string(), address: z.string(), incarnation: z.string(), voter: z.boolean() }),
);

const snapshot: z.ZodType<StoredSnapshot> = z
  .object({
    ...position.shape,
    configuration: z.object({
      index: count,
      // The core checks the other fields of a configuration.
      configuration: z.looseObject({ members }),
    }),
    byteLength: count.max(2 ** 32 - 1),
    crc: count,
    chunkCrcs: z.array(count),
  })
  .refine(({ byteLength, chunkCrcs }) => chunkCrcs.length === Math.ceil(byteLength / SNAPSHOT_CHUNK_BYTES));

/** The number of the last confirmed change. */
const mark: z.ZodType<number> = count;

export const schemas = { manifest, identity, snapshot, mark };
