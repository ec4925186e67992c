import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { LoadedEntry } from '../core/entries.js';
import type { Persist } from '../core/outputs.js';
import type { RestoredState, Snapshot, SnapshotMeta } from '../core/stored-state.js';
import { StorageError } from './errors.js';
import type { Manifest } from './manifest.js';
import { EMPTY_MANIFEST, positionOf } from './manifest.js';
import {
  checkLog,
  checkOwner,
  checkRange,
  checkWrite,
  concurrentWrite,
  configurationOf,
  indexBefore,
  joinCluster,
  withData,
} from './checks.js';
import { isSameSnapshot, isSnapshotOf, sourceOf } from './snapshot-stream.js';
import type { SnapshotId, SnapshotSource } from './snapshot-stream.js';
import type { Identity, Storage } from './storage.js';

/** What outlives a process. To restart a node, give the same disk to the next MemoryStorage. */
export class MemoryDisk {
  identity: Identity | undefined;
  manifest: Manifest | undefined;
  entries: LoadedEntry[] = [];
  snapshot: Snapshot | null = null;
}

interface PendingWrite {
  persist: Persist;
  /** As the write leaves it. */
  identity: Identity;
  resolve: () => void;
  reject: (error: StorageError) => void;
}

/**
 * Storage in memory, for tests: writes complete at once, or under the test's control (`manual`).
 */
export class MemoryStorage implements Storage {
  readonly #disk: MemoryDisk;
  /** Writes wait for `completeWrite`, `failWrite` or `crash`. */
  manual = false;
  #open = false;
  #failure: StorageError | undefined;
  #pending: PendingWrite | undefined;
  #received: { id: SnapshotId; data: Buffer } | undefined;

  constructor(disk = new MemoryDisk()) {
    this.#disk = disk;
  }

  /** The pending write. */
  get pendingWrite(): Persist | undefined {
    return this.#pending?.persist;
  }

  async open(nodeId: string): Promise<{ identity: Identity; state: RestoredState }> {
    const disk = this.#disk;
    if (disk.identity === undefined) {
      disk.identity = { nodeId, incarnation: randomUUID().replaceAll('-', ''), clusterId: null };
      disk.manifest = EMPTY_MANIFEST;
    }
    checkOwner(disk.identity, nodeId);
    if (disk.manifest === undefined)
      throw new StorageError('damaged-manifest', 'The manifest is missing or damaged');
    checkLog(disk.manifest, disk.entries);
    for (const entry of disk.entries) withData(entry, entry.data);
    this.#open = true;
    return { identity: disk.identity, state: restoredState(disk.manifest, disk) };
  }

  async setClusterId(clusterId: string): Promise<void> {
    const { identity } = this.#usable();
    this.#disk.identity = joinCluster(identity, clusterId);
  }

  async write(persist: Persist, clusterId?: string): Promise<void> {
    const { identity: before } = this.#usable();
    const identity = clusterId === undefined ? before : joinCluster(before, clusterId);
    if (this.#pending !== undefined) throw this.#fail(concurrentWrite(persist));
    return new Promise((resolve, reject) => {
      this.#pending = { persist, identity, resolve, reject };
      if (!this.manual) this.completeWrite();
    });
  }

  /** Makes the pending write durable. */
  completeWrite(): void {
    const { persist, identity, resolve, reject } = this.#takePending();
    try {
      this.#apply(persist);
      this.#disk.identity = identity;
      resolve();
    } catch (error) {
      reject(this.#fail(error as StorageError));
    }
  }

  /** Fails the pending write. Nothing of it reaches the disk, and the storage is unusable from then on. */
  failWrite(reason: string): void {
    this.#takePending().reject(this.#fail(new StorageError('io', reason)));
  }

  /** The process dies: the pending write never happened and never ends. */
  crash(): void {
    this.#pending = undefined;
    this.#open = false;
  }

  #takePending(): PendingWrite {
    const pending = this.#pending;
    if (pending === undefined) throw new Error('no write is pending');
    this.#pending = undefined;
    return pending;
  }

  #apply(persist: Persist): void {
    const disk = this.#disk;
    const { manifest } = this.#usable();
    const { snapshot } = persist;
    const index = indexBefore(persist, manifest);
    const kept = persist.resetLog ? [] : disk.entries.filter((entry) => entry.index <= index);
    const before = (persist.resetLog ? snapshot : kept.at(-1)) ?? manifest.base;
    const last = checkWrite(persist, manifest, positionOf(before));
    const base = snapshot === undefined ? manifest.base : positionOf(snapshot);
    disk.manifest = { writeSeq: manifest.writeSeq + 1, hardState: { ...persist.hardState }, base, last };
    disk.entries = [...kept, ...persist.entries].filter(({ index }) => index > base.index);
    disk.snapshot = snapshot ?? disk.snapshot;
  }

  async readEntries(from: number, to: number, maxBytes: number): Promise<LoadedEntry[]> {
    const { manifest } = this.#usable();
    checkRange(from, to, manifest.base.index + 1, manifest.last.index);
    let bytes = 0;
    return this.#disk.entries
      .filter(({ index }) => index >= from && index <= to)
      .filter((entry, i) => (bytes += entry.byteLength) <= maxBytes || i === 0)
      .map((entry) => withData(entry, entry.data));
  }

  async readSnapshot(): Promise<Snapshot | null> {
    this.#usable();
    return this.#disk.snapshot;
  }

  async openSnapshot(): Promise<SnapshotSource | null> {
    const snapshot = await this.readSnapshot();
    return snapshot && sourceOf(snapshot, crc32(snapshot.data));
  }

  async receiveSnapshot(id: SnapshotId, offset: number, data: Uint8Array): Promise<number> {
    this.#usable();
    if (this.#received === undefined || !isSameSnapshot(this.#received.id, id)) {
      this.#received = { id, data: Buffer.alloc(0) };
    }
    const received = this.#received;
    if (offset === received.data.length && offset + data.length <= id.byteLength) {
      received.data = Buffer.concat([received.data, data]);
    }
    return received.data.length;
  }

  async takeReceivedSnapshot(of: SnapshotMeta): Promise<Uint8Array | undefined> {
    this.#usable();
    const received = this.#received;
    if (received === undefined || !isSnapshotOf(received.id, of)) return undefined;
    const { id, data } = received;
    if (data.length < id.byteLength) return undefined;
    this.#received = undefined;
    return crc32(data) === id.crc ? data : undefined;
  }

  async close(): Promise<void> {
    this.#received = undefined;
    this.#open = false;
  }

  #usable(): { identity: Identity; manifest: Manifest } {
    if (this.#failure !== undefined) throw this.#failure;
    const { identity, manifest } = this.#disk;
    if (!this.#open || identity === undefined || manifest === undefined) {
      throw new StorageError('not-open', 'The storage is not open');
    }
    return { identity, manifest };
  }

  #fail(error: StorageError): StorageError {
    this.#failure ??= error;
    return this.#failure;
  }
}

function restoredState(manifest: Manifest, { entries, snapshot }: MemoryDisk): RestoredState {
  const configurations = entries.filter(({ kind }) => kind === 'config').map(configurationOf);
  const headers = entries.map(({ data: _, ...header }) => header);
  if (snapshot === null) return { hardState: manifest.hardState, snapshot, headers, configurations };
  const { data: _, ...meta } = snapshot;
  return { hardState: manifest.hardState, snapshot: meta, headers, configurations };
}
