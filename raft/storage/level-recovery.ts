import { randomBytes } from 'node:crypto';
import type { EntryHeader } from '../core/entries.js';
import type { RestoredState } from '../core/stored-state.js';
import { checkLog, checkOwner, configurationOf } from './checks.js';
import type { Database } from './database.js';
import { StorageError } from './errors.js';
import { checkFormat, STORAGE_FORMATS } from './formats.js';
import { FORMAT_KEY, IDENTITY_KEY, MANIFEST_KEY } from './keys.js';
import type { Manifest } from './manifest.js';
import { EMPTY_MANIFEST } from './manifest.js';
import { seal, unseal } from './records.js';
import { readAllHeaders, readEntry, readManifest, readSnapshotRecord } from './records-reader.js';
import { schemas } from './schemas.js';
import type { Identity } from './storage.js';
import { deletions } from './write-plan.js';
import type { LogState } from './write-plan.js';
import type { StoredSnapshot } from './snapshot-stream.js';

/** At start, the data of this many entries at the end of the log is checked. The others are checked when they are read. */
const CHECKED_ENTRIES = 64;
const DELETED_PER_BATCH = 500;

export interface Recovered {
  identity: Identity;
  log: LogState;
  state: RestoredState;
}

/**
 * Reads and checks what the database holds, and deletes leftovers of purged and truncated entries. An empty
 * database becomes that of a new node.
 *
 * @param confirmedSeq number of the last change that this disk is known to have confirmed
 */
export async function recover(
  database: Database,
  directory: string,
  nodeId: string,
  confirmedSeq: number,
): Promise<Recovered> {
  if (await isEmpty(database)) {
    if (confirmedSeq > 0) throw lostWrite(0, confirmedSeq, directory);
    await initialise(database, nodeId);
  }
  const [format, identityRecord, manifestRecord] = await database.getMany([
    FORMAT_KEY,
    IDENTITY_KEY,
    MANIFEST_KEY,
  ]);
  checkFormat(format, manifestRecord, directory);
  const identity = unseal(identityRecord, schemas.identity);
  if (identity === undefined) {
    throw new StorageError('damaged-identity', `The identity in ${directory} is missing or damaged`, {
      directory,
    });
  }
  checkOwner(identity, nodeId);
  const manifest = readManifest(manifestRecord);
  const foundSeq = changesIn(identity, manifest);
  if (foundSeq < confirmedSeq) throw lostWrite(foundSeq, confirmedSeq, directory);

  const { base, last } = manifest;
  const found = await readAllHeaders(database);
  const headers = found.filter(({ index }) => index > base.index && index <= last.index);
  checkLog(manifest, headers);
  await deleteLeftovers(database, found, manifest);
  const snapshot = base.index > 0 ? await readSnapshotRecord(database, base.index) : null;
  for (const header of headers.slice(-CHECKED_ENTRIES)) await readEntry(database, header);
  return {
    identity,
    log: { manifest, snapshot, leftovers: { from: base.index + 1, to: base.index } },
    state: await restoredState(database, manifest, snapshot, headers),
  };
}

/** How many changes the disk confirmed: its writes, and joining a cluster. */
export function changesIn({ clusterId }: Identity, { writeSeq }: Manifest): number {
  return writeSeq + (clusterId === null ? 0 : 1);
}

async function isEmpty(database: Database): Promise<boolean> {
  return (await database.keys({ limit: 1 }).all()).length === 0;
}

async function initialise(database: Database, nodeId: string): Promise<void> {
  const identity: Identity = { nodeId, incarnation: randomBytes(16).toString('hex'), clusterId: null };
  await database.batch(
    [
      { type: 'put', key: FORMAT_KEY, value: Buffer.from(String(STORAGE_FORMATS.newest)) },
      { type: 'put', key: IDENTITY_KEY, value: seal(identity) },
      { type: 'put', key: MANIFEST_KEY, value: seal(EMPTY_MANIFEST) },
    ],
    { sync: true },
  );
}

async function restoredState(
  database: Database,
  { hardState }: Manifest,
  snapshot: StoredSnapshot | null,
  headers: readonly EntryHeader[],
): Promise<RestoredState> {
  const configurations = [];
  for (const header of headers) {
    if (header.kind === 'config') configurations.push(configurationOf(await readEntry(database, header)));
  }
  if (snapshot === null) return { hardState, snapshot, headers, configurations };
  const { index, term, chainHash, configuration } = snapshot;
  return { hardState, snapshot: { index, term, chainHash, configuration }, headers, configurations };
}

async function deleteLeftovers(
  database: Database,
  found: readonly EntryHeader[],
  { base, last }: Manifest,
): Promise<void> {
  const leftovers = found.filter(({ index }) => index <= base.index || index > last.index);
  for (let i = 0; i < leftovers.length; i += DELETED_PER_BATCH) {
    const slice = leftovers.slice(i, i + DELETED_PER_BATCH);
    await database.batch(
      slice.flatMap(({ index }) => deletions(index, index)),
      { sync: true },
    );
  }
}

function lostWrite(foundSeq: number, confirmedSeq: number, directory: string): StorageError {
  return new StorageError(
    'lost-write',
    `${directory} is at change ${foundSeq}, but ${confirmedSeq} was confirmed`,
    {
      directory,
      foundSeq,
      confirmedSeq,
    },
  );
}
