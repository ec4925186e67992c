import { crc32 } from 'node:zlib';
import { chainHash } from '../core/chain-hash.js';
import type { Configuration, EntryHeader, IndexedConfiguration, LoadedEntry, Persist } from '../core/types.js';
import { StorageError } from './errors.js';
import type { LogPosition, Manifest } from './manifest.js';
import { positionOf } from './manifest.js';
import type { Identity } from './storage.js';

/** The directory must be this node's own: another's votes and acknowledgements were never ours (bug 40). */
export function checkOwner(identity: Identity, nodeId: string): void {
  if (identity.nodeId === nodeId) return;
  throw new StorageError(
    'wrong-node',
    `This directory belongs to node "${identity.nodeId}", but the process is node "${nodeId}"`,
    { directoryOf: identity.nodeId, nodeId },
  );
}

/**
 * The headers must run without a gap from the manifest's first to its last position, each chained to the one
 * before. LevelDB skips damaged records in silence (bug 64): this is what notices.
 */
export function checkLog(manifest: Manifest, headers: readonly EntryHeader[]): void {
  let position = manifest.base;
  for (const header of headers) {
    if (header.index !== position.index + 1) throw gap(position.index + 1, manifest);
    if (header.chainHash !== chainHash(position.chainHash, header)) throw chainMismatch(header, manifest);
    if (header.term < position.term) throw termMismatch(header.term, position.term, header.index);
    position = positionOf(header);
  }
  if (position.index < manifest.last.index) throw gap(position.index + 1, manifest);
  if (position.chainHash !== manifest.last.chainHash) throw chainMismatch(position, manifest);
  if (manifest.hardState.term < position.term) {
    throw termMismatch(manifest.hardState.term, position.term, position.index);
  }
}

function gap(index: number, { base, last }: Manifest): StorageError {
  return new StorageError(
    'missing-entry',
    `Entry ${index} is missing: the log should hold ${base.index + 1} to ${last.index}`,
    { index, firstIndex: base.index + 1, lastIndex: last.index },
  );
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

/** The data must be what its header says. */
export function checkData(header: EntryHeader, data: Uint8Array | undefined): asserts data is Uint8Array {
  if (data?.length === header.byteLength && crc32(data) === header.crc) return;
  throw new StorageError('damaged-entry', `The data of entry ${header.index} is missing or damaged`, {
    index: header.index,
    byteLength: header.byteLength,
    foundBytes: data?.length,
  });
}

/** The configuration that an entry of kind `config` carries. */
export function configurationOf(entry: LoadedEntry): IndexedConfiguration {
  const configuration = JSON.parse(Buffer.from(entry.data).toString()) as Configuration;
  return { index: entry.index, configuration };
}

/**
 * Where the log ends after `persist`; refuses one that would leave a hole, so that a fault of the caller stops
 * the process and not the next start.
 *
 * @param before the position that the first entry must continue
 */
export function checkWrite(persist: Persist, before: LogPosition): LogPosition {
  let position = before;
  for (const entry of persist.entries) {
    if (entry.index !== position.index + 1 || entry.chainHash !== chainHash(position.chainHash, entry)) {
      throw new StorageError('invalid-write', `Entry ${entry.index} does not continue the log at ${position.index}`, {
        index: entry.index,
        previousIndex: position.index,
        previousChainHash: position.chainHash,
      });
    }
    position = positionOf(entry);
  }
  const compactedTo = persist.snapshot?.index ?? 0;
  if (position.index < compactedTo) {
    throw new StorageError('invalid-write', `Snapshot ${compactedTo} is ahead of the log, which ends at ${position.index}`, {
      snapshotIndex: compactedTo,
      lastIndex: position.index,
    });
  }
  return position;
}
