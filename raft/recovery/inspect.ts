import type { IndexedConfiguration } from '../core/configuration.js';
import type { EntryHeader, LoadedEntry } from '../core/entries.js';
import type { HardState, Snapshot } from '../core/stored-state.js';
import { checkLog, configurationOf } from '../storage/checks.js';
import { openDatabase, type Database } from '../storage/database.js';
import { StorageError } from '../storage/errors.js';
import { FORMAT_KEY, IDENTITY_KEY, MANIFEST_KEY } from '../storage/keys.js';
import { checkFormat } from '../storage/formats.js';
import { changesIn } from '../storage/level-recovery.js';
import type { LogPosition, Manifest } from '../storage/manifest.js';
import { readAllHeaders, readEntry, readManifest, readSnapshot } from '../storage/records-reader.js';
import { unseal } from '../storage/records.js';
import { schemas } from '../storage/schemas.js';
import type { Identity } from '../storage/storage.js';
import { WriteMark } from '../storage/write-mark.js';
import { onCopy } from './directory-copy.js';

/** One check that was made. A check that another failure prevented is not listed. */
export interface Check {
  name:
    | 'files'
    | 'format'
    | 'identity'
    | 'manifest'
    | 'write-mark'
    | 'snapshot'
    | 'log'
    | 'entries'
    | 'configurations';
  /** Undefined when the check passed. */
  error?: StorageError;
}

/** What a stopped node's directory holds; null or empty where that could not be read. */
export interface Inspection {
  directory: string;
  /** True when every check was made and passed. */
  ok: boolean;
  checks: Check[];
  identity: Identity | null;
  hardState: HardState | null;
  /** Number of writes so far. */
  writeSeq: number | null;
  /** The end of the log. */
  last: LogPosition | null;
  log: { firstIndex: number; lastIndex: number; entries: number; bytes: number } | null;
  snapshot: { index: number; term: number; byteLength: number } | null;
  /** Oldest first. The last is in force. */
  configurations: IndexedConfiguration[];
}

/** Receives snapshot and entries in order, once they are known to be sound. */
export interface LogVisitor {
  snapshot(snapshot: Snapshot): void;
  entry(entry: LoadedEntry): void;
}

/** All checks, so that one that was not reached counts against the directory. */
const CHECKS = 9;
const WRITE_BUFFER_BYTES = 8 << 20;

/**
 * Reads everything that a stopped node has on disk. Verifies every CRC and the chain of hashes, and that nothing is
 * missing. Works on a copy and so writes nothing.
 *
 * @throws StorageError `no-database`, `locked`, or `io`; the result says what is wrong inside
 */
export async function inspectDirectory(directory: string, visitor?: LogVisitor): Promise<Inspection> {
  return onCopy(directory, async (copy) => {
    const inspection: Inspection = {
      directory,
      ok: false,
      checks: [],
      identity: null,
      hardState: null,
      writeSeq: null,
      last: null,
      log: null,
      snapshot: null,
      configurations: [],
    };
    const inspector = new Inspector(inspection);
    const database = await inspector.check('files', () => openDatabase(copy, WRITE_BUFFER_BYTES));
    if (database) {
      try {
        await inspector.run(database, copy, visitor);
      } finally {
        await database.close();
      }
    }
    const { checks } = inspection;
    inspection.ok = checks.length === CHECKS && checks.every(({ error }) => error === undefined);
    return inspection;
  });
}

class Inspector {
  constructor(private readonly inspection: Inspection) {}

  /** Undefined when the check failed. */
  async check<T>(name: Check['name'], make: () => T | Promise<T>): Promise<T | undefined> {
    const { checks, directory } = this.inspection;
    try {
      const found = await make();
      checks.push({ name });
      return found;
    } catch (error) {
      const seen = error instanceof StorageError ? error : unreadable(directory, error);
      checks.push({ name, error: seen });
      return undefined;
    }
  }

  async run(database: Database, copy: string, visitor: LogVisitor | undefined): Promise<void> {
    const { inspection } = this;
    const { directory } = inspection;
    const [format, identityRecord, manifestRecord] = await database.getMany([
      FORMAT_KEY,
      IDENTITY_KEY,
      MANIFEST_KEY,
    ]);
    await this.check('format', () => checkFormat(format, manifestRecord, directory));
    const identity = await this.check('identity', () => {
      const found = unseal(identityRecord, schemas.identity);
      if (found) return found;
      throw new StorageError('damaged-identity', 'The identity is missing or damaged', { directory });
    });
    const manifest = await this.check('manifest', () => readManifest(manifestRecord));
    inspection.identity = identity ?? null;
    if (!manifest) return;
    Object.assign(inspection, {
      hardState: manifest.hardState,
      writeSeq: manifest.writeSeq,
      last: manifest.last,
    });
    if (identity) await this.check('write-mark', () => checkMark(copy, identity, manifest));

    const snapshot = await this.check('snapshot', () => readSnapshot(database));
    if (snapshot) {
      const { index, term, data, configuration } = snapshot;
      inspection.snapshot = { index, term, byteLength: data.length };
      inspection.configurations.push(configuration);
      visitor?.snapshot(snapshot);
    }
    const headers = await this.check('log', () => readLog(database, manifest));
    if (!headers) return;
    inspection.log = {
      firstIndex: manifest.base.index + 1,
      lastIndex: manifest.last.index,
      entries: headers.length,
      bytes: headers.reduce((sum, { byteLength }) => sum + byteLength, 0),
    };
    const configEntries: LoadedEntry[] = [];
    await this.check('entries', async () => {
      for (const header of headers) {
        const entry = await readEntry(database, header);
        if (entry.kind === 'config') configEntries.push(entry);
        if (snapshot !== undefined) visitor?.entry(entry);
      }
    });
    await this.check('configurations', () => {
      for (const entry of configEntries) inspection.configurations.push(configurationOf(entry));
    });
  }
}

async function readLog(database: Database, manifest: Manifest): Promise<EntryHeader[]> {
  const found = await readAllHeaders(database);
  const headers = found.filter(({ index }) => index > manifest.base.index && index <= manifest.last.index);
  checkLog(manifest, headers);
  return headers;
}

async function checkMark(copy: string, identity: Identity, manifest: Manifest): Promise<void> {
  const { mark, lastWriteSeq } = await WriteMark.open(copy);
  await mark.close();
  const found = changesIn(identity, manifest);
  if (found >= lastWriteSeq) return;
  throw new StorageError(
    'lost-write',
    `The database is at change ${found}, but ${lastWriteSeq} was confirmed`,
    {
      foundSeq: found,
      confirmedSeq: lastWriteSeq,
    },
  );
}

function unreadable(directory: string, error: unknown): StorageError {
  const seen = `${directory}: ${error instanceof Error ? error.message : String(error)}`;
  return new StorageError('damaged-database', seen, { directory }, { cause: error });
}
