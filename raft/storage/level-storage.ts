import type { LoadedEntry } from '../core/entries.js';
import type { Persist } from '../core/outputs.js';
import type { RestoredState, Snapshot, SnapshotMeta } from '../core/stored-state.js';
import { concurrentWrite, indexBefore, joinCluster } from './checks.js';
import type { Database } from './database.js';
import { openDatabase } from './database.js';
import { StorageError } from './errors.js';
import { IDENTITY_KEY, dataKey, headerKey } from './keys.js';
import { changesIn, recover } from './level-recovery.js';
import type { LogPosition } from './manifest.js';
import { positionOf } from './manifest.js';
import { seal } from './records.js';
import { openSnapshot, readEntries, readHeader, readSnapshot } from './records-reader.js';
import { SpaceReclaimer } from './space-reclaimer.js';
import { SnapshotInbox } from './snapshot-inbox.js';
import type { SnapshotId, SnapshotSource } from './snapshot-stream.js';
import type { Identity, Storage } from './storage.js';
import { WriteMark } from './write-mark.js';
import type { LogState } from './write-plan.js';
import { planWrite } from './write-plan.js';

export interface LevelStorageOptions {
  directory: string;
  /** Size of LevelDB's memory table and of its write-ahead log; up to two of each exist at a time. */
  writeBufferBytes?: number;
  /** Bytes written between two compactions of deleted records. */
  reclaimEveryBytes?: number;
}

const MIB = 1 << 20;

interface Opened {
  database: Database;
  mark: WriteMark;
  reclaimer: SpaceReclaimer;
  inbox: SnapshotInbox;
  identity: Identity;
  log: LogState;
}

/** Storage in a LevelDB of its own (schema in keys.ts): one synced batch per write, and any error is final. */
export class LevelStorage implements Storage {
  readonly #options: Required<LevelStorageOptions>;
  #opened: Opened | undefined;
  #failure: StorageError | undefined;
  #writing = false;
  #identityTurn: Promise<unknown> = Promise.resolve();

  constructor(options: LevelStorageOptions) {
    this.#options = { writeBufferBytes: 4 * MIB, reclaimEveryBytes: 8 * MIB, ...options };
  }

  async open(nodeId: string): Promise<{ identity: Identity; state: RestoredState }> {
    const { directory, writeBufferBytes, reclaimEveryBytes } = this.#options;
    const database = await openDatabase(directory, writeBufferBytes);
    try {
      const { mark, lastWriteSeq } = await WriteMark.open(directory);
      try {
        const { identity, log, state } = await recover(database, directory, nodeId, lastWriteSeq);
        const reclaimer = new SpaceReclaimer({
          everyBytes: reclaimEveryBytes,
          compact: () => this.#compact(),
        });
        const inbox = await SnapshotInbox.open(directory);
        this.#opened = { database, mark, reclaimer, inbox, identity, log };
        return { identity, state };
      } catch (error) {
        await mark.close();
        throw error;
      }
    } catch (error) {
      await database.close();
      throw this.#asStorageError(error);
    }
  }

  async setClusterId(clusterId: string): Promise<void> {
    await this.#changingIdentity(() => this.#setClusterId(clusterId));
  }

  /** One change at a time: the second is checked against the first. */
  async #changingIdentity(change: () => Promise<void>): Promise<void> {
    const turn = this.#identityTurn.then(change);
    this.#identityTurn = turn.catch(() => undefined);
    await turn;
  }

  async #setClusterId(clusterId: string): Promise<void> {
    const opened = this.#usable();
    const joined = joinCluster(opened.identity, clusterId);
    if (opened.identity.clusterId === clusterId) return;
    await this.#latching(() => opened.database.put(IDENTITY_KEY, seal(joined), { sync: true }));
    opened.identity = joined;
    opened.mark.set(changesIn(joined, opened.log.manifest));
  }

  async write(persist: Persist, clusterId?: string): Promise<void> {
    if (clusterId !== undefined) return this.#changingIdentity(() => this.#found(persist, clusterId));
    const opened = this.#usable();
    await this.#exclusively(persist, () => this.#write(opened, persist, opened.identity));
  }

  async #found(persist: Persist, clusterId: string): Promise<void> {
    const opened = this.#usable();
    const founded = joinCluster(opened.identity, clusterId);
    await this.#exclusively(persist, () => this.#write(opened, persist, founded));
  }

  async #exclusively(persist: Persist, write: () => Promise<void>): Promise<void> {
    await this.#latching(async () => {
      if (this.#writing) throw concurrentWrite(persist);
      this.#writing = true;
      await write();
      this.#writing = false;
    });
  }

  async #write(opened: Opened, persist: Persist, identity: Identity): Promise<void> {
    const { database, mark, reclaimer, log } = opened;
    await reclaimer.admit();
    const { operations, next } = planWrite(log, persist, await this.#positionBefore(opened, persist));
    if (identity !== opened.identity) {
      operations.push({ type: 'put', key: IDENTITY_KEY, value: seal(identity) });
    }
    await database.batch(operations, { sync: true });
    opened.log = next;
    opened.identity = identity;
    mark.set(changesIn(opened.identity, next.manifest));
    reclaimer.wrote(
      operations.reduce((bytes, { value }) => bytes + (value?.length ?? 0), 0),
      operations.some(({ type }) => type === 'del'),
    );
  }

  /** The position that the first entry of `persist` must continue. */
  async #positionBefore({ database, log: { manifest } }: Opened, persist: Persist): Promise<LogPosition> {
    const index = indexBefore(persist, manifest);
    const known = [persist.snapshot, manifest.last, manifest.base].find(
      (position) => position?.index === index,
    );
    return positionOf(known ?? (await readHeader(database, index)));
  }

  async readEntries(from: number, to: number, maxBytes: number): Promise<LoadedEntry[]> {
    const { database } = this.#usable();
    return this.#latching(() => readEntries(database, from, to, maxBytes));
  }

  async readSnapshot(): Promise<Snapshot | null> {
    const { database } = this.#usable();
    return this.#latching(() => readSnapshot(database));
  }

  async openSnapshot(): Promise<SnapshotSource | null> {
    const { database } = this.#usable();
    const source = await this.#latching(() => openSnapshot(database));
    return source && { ...source, read: (offset) => this.#latching(() => source.read(offset)) };
  }

  async receiveSnapshot(id: SnapshotId, offset: number, data: Uint8Array): Promise<number> {
    const { inbox } = this.#usable();
    return this.#latching(() => inbox.receive(id, offset, data));
  }

  async takeReceivedSnapshot(of: SnapshotMeta): Promise<Uint8Array | undefined> {
    const { inbox } = this.#usable();
    return this.#latching(() => inbox.take(of));
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined) return;
    await opened.reclaimer.idle();
    await opened.inbox.close();
    await opened.mark.close();
    await opened.database.close();
  }

  async #compact(): Promise<void> {
    const { database, log } = this.#usable();
    await database.compactRange(headerKey(0), dataKey(log.manifest.base.index));
  }

  #usable(): Opened {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#opened === undefined) throw new StorageError('not-open', 'The storage is not open');
    return this.#opened;
  }

  /** Any failure is final, because LevelDB could let a retry succeed over the hole that the failed write left. */
  async #latching<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #fail(error: unknown): StorageError {
    // A request for entries that were purged or truncated meanwhile is a race of the reader, not damage.
    if (error instanceof StorageError && error.code === 'not-in-log') return error;
    this.#failure ??= this.#asStorageError(error);
    return this.#failure;
  }

  #asStorageError(error: unknown): StorageError {
    if (error instanceof StorageError) return error;
    const { directory } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    return new StorageError('io', `${directory}: ${reason}`, { directory }, { cause: error });
  }
}
