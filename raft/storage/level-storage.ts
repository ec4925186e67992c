import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { LoadedEntry, Persist, RestoredState, Snapshot } from '../core/types.js';
import type { Database, DatabaseOptions } from './database.js';
import { openDatabase, syncDirectoryEntry } from './database.js';
import { StorageError } from './errors.js';
import {
  FORMAT_KEY,
  IDENTITY_KEY,
  MANIFEST_KEY,
  dataKey,
  headerKey,
  snapshotChunkKey,
  snapshotMetaKey,
} from './keys.js';
import type { LogPosition, Manifest } from './manifest.js';
import { EMPTY_MANIFEST, positionOf } from './manifest.js';
import { encodeHeader, seal, unseal } from './records.js';
import type { StoredSnapshot } from './records-reader.js';
import {
  readAllHeaders,
  readEntries,
  readEntry,
  readHeader,
  readSnapshot,
  readSnapshotRecord,
} from './records-reader.js';
import { checkLog, checkOwner, checkWrite, configurationOf } from './recovery.js';
import { SpaceReclaimer } from './space-reclaimer.js';
import type { Identity, Storage } from './storage.js';
import { WriteMark } from './write-mark.js';

const FORMAT_VERSION = '1';
const SNAPSHOT_CHUNK_BYTES = 1 << 20;
/** Entries whose records one batch deletes beside its own work (1000 keys). */
const PURGED_PER_WRITE = 500;
/** Entries at the end of the log whose data is checked at start; the others are checked when they are read. */
const CHECKED_ENTRIES = 64;
