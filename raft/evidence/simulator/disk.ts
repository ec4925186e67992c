import { chainHash, EMPTY_CHAIN_HASH } from '../../core/chain-hash.js';
import { decodeConfiguration } from '../../core/configuration.js';
import { crc32 } from '../../core/crc32.js';
import type { LoadedEntry } from '../../core/entries.js';
import type { Persist } from '../../core/outputs.js';
import type { HardState, RestoredState, Snapshot } from '../../core/stored-state.js';
import type { Prng } from '../../testing/prng.js';
import { check } from '../checks/violation.js';

/** Decides which records count, as in storage/manifest.ts. */
interface Manifest {
  hardState: HardState;
  baseIndex: number;
  lastIndex: number;
  lastHash: number;
}

/**
 * What a node would find after a crash. Separate from the node's memory: only finished writes arrive here, each whole (one
 * LevelDB batch), unless a fault tears it.
 */
export class SimulatedDisk {
  hardState: HardState = { term: 0, votedFor: null, commit: 0 };
  snapshot: Snapshot | null = null;
  private entries: LoadedEntry[] = [];
  private snapshotSeal = 0;
  /** What the manifest says if it differs from the records, which happens only after a fault. */
  private manifest: Manifest | null = null;
  private manifestIsLegible = true;

  get snapshotIndex(): number {
    return this.snapshot?.index ?? 0;
  }

  get lastIndex(): number {
    return this.snapshotIndex + this.entries.length;
  }

  get isEmpty(): boolean {
    return this.hardState.term === 0 && this.lastIndex === 0;
  }

  entry(index: number): LoadedEntry | undefined {
    return this.entries[index - this.snapshotIndex - 1];
  }

  /** The data of the entry at `index`; undefined when the entry there no longer has this chain hash. */
  dataOf(index: number, chainHash: number): Uint8Array | undefined {
    const entry = this.entry(index);
    return entry?.chainHash === chainHash ? entry.data : undefined;
  }

  /** Chain hash at `index`; undefined when it is beyond the end or deep in the snapshot. */
  hashAt(index: number): number | undefined {
    if (index === this.snapshotIndex) return this.snapshot?.chainHash ?? EMPTY_CHAIN_HASH;
    return this.entry(index)?.chainHash;
  }

  apply(write: Persist): void {
    this.hardState = write.hardState;
    if (write.resetLog) {
      check(write.snapshot !== undefined, 'storage', () => 'the log was reset without a snapshot');
      this.takeSnapshot(write.snapshot);
      this.entries = [];
    }
    if (write.truncateFrom !== undefined) {
      const kept = write.truncateFrom - this.snapshotIndex - 1;
      check(kept >= 0, 'storage', () => `truncation at ${write.truncateFrom} reaches into the snapshot`);
      this.entries.length = Math.min(this.entries.length, kept);
    }
    for (const entry of write.entries) {
      const { index } = entry;
      check(
        index === this.lastIndex + 1,
        'storage',
        () => `entry ${index} was written after ${this.lastIndex}`,
      );
      // A core that evicts data too early would write nothing.
      check(entry.data?.length === entry.byteLength, 'storage', () => `entry ${index} has the wrong length`);
      this.entries.push(entry);
    }
    if (write.snapshot && !write.resetLog) this.compactTo(write.snapshot);
  }

  private compactTo(snapshot: Snapshot): void {
    const { index, chainHash } = snapshot;
    check(
      index > this.snapshotIndex && this.hashAt(index) === chainHash,
      'storage',
      () => `snapshot at ${index} of what is not on this disk`,
    );
    this.entries.splice(0, index - this.snapshotIndex);
    this.takeSnapshot(snapshot);
  }

  private takeSnapshot(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.snapshotSeal = crc32(snapshot.data);
  }

  /** Any parts of the write reach the disk, in any order: the manifest, the snapshot, each entry. */
  tear(write: Persist, rng: Prng): void {
    this.manifest = this.presentManifest();
    const wanted = new SimulatedDisk();
    Object.assign(wanted, this, { entries: [...this.entries], manifest: null });
    wanted.apply(write);
    if (rng.chance(0.5)) this.manifest = wanted.presentManifest();
    const snapshotArrives = write.snapshot !== undefined && rng.chance(0.5);
    const arrived = write.entries.filter(() => rng.chance(0.5));
    const records = new Map([...this.entries, ...arrived].map((entry) => [entry.index, entry]));
    if (snapshotArrives) this.takeSnapshot(write.snapshot as Snapshot);
    this.entries = [];
    for (let entry; (entry = records.get(this.lastIndex + 1));) this.entries.push(entry);
  }

  /** Damages a record. */
  rot(rng: Prng): void {
    this.manifest ??= this.presentManifest();
    const at = rng.int(-2, this.entries.length - 1);
    const entry = this.entries[at];
    if (entry === undefined) {
      if (at === -1 && this.snapshot)
        this.snapshot = { ...this.snapshot, data: flipBit(this.snapshot.data, rng) };
      else this.manifestIsLegible = false;
    } else if (entry.byteLength > 0 && rng.chance(0.7)) {
      this.entries[at] = { ...entry, data: flipBit(entry.data, rng) };
    } else {
      this.entries[at] = { ...entry, term: entry.term + 1 };
    }
  }

  private presentManifest(): Manifest {
    const { hardState, snapshotIndex: baseIndex, lastIndex } = this;
    return { hardState, baseIndex, lastIndex, lastHash: this.hashAt(lastIndex) as number };
  }

  /** What is wrong with the disk, by the checks of storage/level-recovery.ts; undefined when nothing is. */
  damage(): string | undefined {
    if (!this.manifestIsLegible) return 'the manifest is damaged';
    const { baseIndex, lastIndex, lastHash } = this.manifest ?? this.presentManifest();
    if (baseIndex !== this.snapshotIndex) return 'manifest and snapshot do not belong together';
    if (this.snapshot && crc32(this.snapshot.data) !== this.snapshotSeal) return 'the snapshot is damaged';
    if (lastIndex > this.lastIndex) return `entry ${this.lastIndex + 1} is missing`;
    for (let index = baseIndex + 1; index <= lastIndex; index++) {
      const entry = this.entry(index) as LoadedEntry;
      const follows = chainHash(this.hashAt(index - 1) as number, entry);
      if (entry.chainHash !== follows) return `entry ${index} does not follow from the one before`;
      if (crc32(entry.data) !== entry.crc) return `the data of entry ${index} is damaged`;
    }
    return this.hashAt(lastIndex) === lastHash ? undefined : 'the log does not end as the manifest says';
  }

  /** A snapshot of the volume, to which the disk may go back. */
  copy(): SimulatedDisk {
    const copy = new SimulatedDisk();
    return Object.assign(copy, this, { entries: [...this.entries] });
  }

  /** Opens the disk. A string says why that is refused. The checks are needed only after a fault. */
  open(checked: boolean): string | undefined {
    const { manifest } = this;
    if (!manifest) return undefined;
    const reason = checked ? this.damage() : undefined;
    if (reason !== undefined) return reason;
    this.hardState = manifest.hardState;
    this.entries.length = Math.max(0, Math.min(this.entries.length, manifest.lastIndex - this.snapshotIndex));
    this.manifest = null;
    return undefined;
  }

  restore(): RestoredState {
    return {
      hardState: this.hardState,
      snapshot: this.snapshot,
      headers: this.entries,
      configurations: this.entries
        .filter((entry) => entry.kind === 'config')
        .map(({ index, data }) => ({ index, configuration: decodeConfiguration(data) })),
    };
  }
}

function flipBit(data: Uint8Array, rng: Prng): Uint8Array {
  const flipped = data.slice();
  const at = rng.int(0, data.length - 1);
  (flipped[at] as number) ^= 1 << rng.int(0, 7);
  return flipped;
}
