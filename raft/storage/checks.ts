import { crc32 } from 'node:zlib';
import { chainHash } from '../core/chain-hash.js';
import { decodeConfiguration, type IndexedConfiguration } from '../core/configuration.js';
import type { EntryHeader, LoadedEntry } from '../core/entries.js';
import type { Persist } from '../core/outputs.js';
import { StorageError } from './errors.js';
import type { LogPosition, Manifest } from './manifest.js';
import { positionOf } from './manifest.js';
import type { Identity } from './storage.js';

/** The directory must be this node's own: the votes and acknowledgements of another were never ours. */
export function checkOwner(identity: Identity, nodeId: string): void {
  if (identity.nodeId === nodeId) return;
  throw new StorageError(
    'wrong-node',
    `This directory belongs to node "${identity.nodeId}", but the process is node "${nodeId}"`,
    { directoryOf: identity.nodeId, nodeId },
  );
}

/** The identity after joining a cluster: a node belongs to one for life. */
export function joinCluster(identity: Identity, clusterId: string): Identity {
  if (identity.clusterId === null || identity.clusterId === clusterId) return { ...identity, clusterId };
  throw new StorageError(
    'wrong-cluster',
    `This node belongs to cluster ${identity.clusterId}, not ${clusterId}`,
    {
      clusterId: identity.clusterId,
      refused: clusterId,
    },
  );
}

/**
 * The headers must run without a gap from the manifest's first to its last position, each chained to the one before.
 * LevelDB silently skips damaged records; this check notices.
 */
export function checkLog(manifest: Manifest, headers: readonly EntryHeader[]): void {
  let position = manifest.base;
  for (const header of headers) {
    if (header.index !== position.index + 1) throw missingEntry(position.index + 1);
    if (header.chainHash !== chainHash(position.chainHash, header)) throw chainMismatch(header, manifest);
    if (header.term < position.term) throw termMismatch(header.term, position.term, header.index);
    position = positionOf(header);
  }
  if (position.index < manifest.last.index) throw missingEntry(position.index + 1);
  if (position.chainHash !== manifest.last.chainHash) throw chainMismatch(position, manifest);
  if (manifest.hardState.term < position.term) {
    throw termMismatch(manifest.hardState.term, position.term, position.index);
  }
}

export function missingEntry(index: number): StorageError {
  return new StorageError('missing-entry', `Entry ${index} is missing`, { index });
}

function chainMismatch(found: LogPosition, { last }: Manifest): StorageError {
  return new StorageError('chain-mismatch', `Entry ${found.index} does not continue the log before it`, {
    index: found.index,
    chainHash: found.chainHash,
    lastIndex: last.index,
    lastChainHash: last.chainHash,
  });
}

function termMismatch(term: number, termBefore: number, index: number): StorageError {
  return new StorageError('term-mismatch', `Term ${term} follows term ${termBefore} at index ${index}`, {
    term,
    termBefore,
    index,
  });
}

/** Only entries `firstIndex`…`lastIndex` can be read. */
export function checkRange(from: number, to: number, firstIndex: number, lastIndex: number): void {
  if (from >= firstIndex && from <= to && to <= lastIndex) return;
  throw new StorageError(
    'not-in-log',
    `Entries ${from} to ${to} were requested, but the log holds ${firstIndex} to ${lastIndex}`,
    {
      from,
      to,
      firstIndex,
      lastIndex,
    },
  );
}

/** The entry with that header, after checking its data against the header. */
export function withData(header: EntryHeader, data: Uint8Array | undefined): LoadedEntry {
  if (data?.length === header.byteLength && crc32(data) === header.crc) return { ...header, data };
  throw new StorageError('damaged-entry', `The data of entry ${header.index} is missing or damaged`, {
    index: header.index,
    byteLength: header.byteLength,
    foundBytes: data?.length,
  });
}

/** The configuration that an entry of kind `config` carries. */
export function configurationOf({ index, data }: LoadedEntry): IndexedConfiguration {
  try {
    return { index, configuration: decodeConfiguration(data) };
  } catch (cause) {
    throw new StorageError(
      'damaged-entry',
      `Entry ${index} is not a valid configuration: ${(cause as Error).message}`,
      { index },
      { cause },
    );
  }
}

/** Index that the first entry of `persist` must follow. */
export function indexBefore(persist: Persist, { base, last }: Manifest): number {
  if (persist.resetLog) {
    if (persist.snapshot === undefined)
      throw invalidWrite('A log cannot restart without a snapshot', persist, last);
    return persist.snapshot.index;
  }
  const index = persist.truncateFrom === undefined ? last.index : persist.truncateFrom - 1;
  if (index >= base.index && index <= last.index) return index;
  throw invalidWrite(`Truncation from ${index + 1} is outside the log`, persist, last);
}

/**
 * Where the log ends after `persist`. Refuses one that would leave a hole, so that a fault of the caller stops the process
 * now and not at the next start.
 *
 * @param before the position that the first entry must continue
 */
export function checkWrite(persist: Persist, manifest: Manifest, before: LogPosition): LogPosition {
  let last = before;
  for (const entry of persist.entries) {
    if (entry.index !== last.index + 1 || entry.chainHash !== chainHash(last.chainHash, entry)) {
      throw invalidWrite(
        `Entry ${entry.index} does not continue the log, which ends at ${last.index}`,
        persist,
        last,
      );
    }
    last = positionOf(entry);
  }
  const baseIndex = persist.snapshot?.index ?? manifest.base.index;
  if (baseIndex < manifest.base.index || baseIndex > last.index) {
    throw invalidWrite(
      `Snapshot ${baseIndex} does not fit the log from ${manifest.base.index + 1} to ${last.index}`,
      persist,
      last,
    );
  }
  return last;
}

/** Two writes at once: their order on disk would be random. */
export function concurrentWrite({ seq }: Persist): StorageError {
  return new StorageError('concurrent-write', `Write ${seq} began before the previous one ended`, { seq });
}

/** A write that must not reach the disk. */
function invalidWrite(seen: string, persist: Persist, last: LogPosition): StorageError {
  return new StorageError('invalid-write', seen, {
    seq: persist.seq,
    truncateFrom: persist.truncateFrom,
    entries: persist.entries.map(({ index }) => index),
    snapshotIndex: persist.snapshot?.index,
    lastIndex: last.index,
  });
}
