import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoadedEntry } from '../../core/entries.js';
import type { Persist } from '../../core/outputs.js';
import type { StorageErrorCode } from '../errors.js';
import { StorageError } from '../errors.js';
import { positionOf } from '../manifest.js';
import type { Storage } from '../storage.js';
import { describeSnapshotTransfer } from './snapshot-transfer-contract.js';
import { entriesAfter, entryAfter, firstEntries, persist, snapshotAt } from './test-log.js';

/** One disk under test, with what a test may do to it behind the storage's back while no storage is open. */
export interface DiskUnderTest {
  /** The storage of a new process on this disk. */
  storage(): Storage;
  /** Requests a write that the disk refuses. */
  failingWrite(storage: Storage, persist: Persist, clusterId?: string): Promise<void>;
  damageManifest(): Promise<void>;
  removeEntry(index: number): Promise<void>;
  damageData(index: number): Promise<void>;
  /** Replaces an entry by a well-formed one of another log. */
  replaceEntry(entry: LoadedEntry): Promise<void>;
  dispose(): Promise<void>;
}

async function errorOf(promise: Promise<unknown>): Promise<StorageError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StorageError)) throw new Error(`expected a StorageError, got ${String(error)}`);
  return error;
}

/** The promises of storage.ts, which every implementation must keep. */
export function describeStorage(name: string, createDisk: () => Promise<DiskUnderTest>): void {
  describe(name, () => {
    let disk: DiskUnderTest;
    let open: Storage[];

    beforeEach(async () => {
      disk = await createDisk();
      open = [];
    });
    afterEach(async () => {
      for (const storage of open) await storage.close();
      await disk.dispose();
    });

    async function start(nodeId = 'n1') {
      const storage = disk.storage();
      const found = await storage.open(nodeId);
      open.push(storage);
      return { storage, ...found };
    }

    async function restart(storage: Storage) {
      await stop(storage);
      return start();
    }

    async function stop(storage: Storage) {
      open = open.filter((other) => other !== storage);
      await storage.close();
    }

    async function refusedStart(nodeId = 'n1'): Promise<StorageError> {
      return errorOf(disk.storage().open(nodeId));
    }

    const texts = async (storage: Storage, from: number, to: number, maxBytes = 1e6) =>
      (await storage.readEntries(from, to, maxBytes)).map(({ data }) => Buffer.from(data).toString());

    describe('identity', () => {
      it('is created on an empty disk and kept', async () => {
        const first = await start();
        expect(first.identity).toMatchObject({ nodeId: 'n1', clusterId: null });
        expect(first.identity.incarnation).toMatch(/^[0-9a-f]{32}$/);
        expect(first.state).toEqual({
          hardState: { term: 0, votedFor: null, commit: 0 },
          snapshot: null,
          headers: [],
          configurations: [],
        });
        expect((await restart(first.storage)).identity).toEqual(first.identity);
      });

      it('refuses the disk of another node and names both', async () => {
        await stop((await start('n1')).storage);
        const error = await refusedStart('n2');
        expect(error).toMatchObject({ code: 'wrong-node', metadata: { directoryOf: 'n1', nodeId: 'n2' } });
        expect(error.message).toContain('"n1"');
        expect(error.message).toContain('"n2"');
      });

      it('remembers its cluster and refuses another', async () => {
        const { storage } = await start();
        await storage.setClusterId('c1');
        await storage.setClusterId('c1');
        const error = await errorOf(storage.setClusterId('c2'));
        expect(error).toMatchObject({ code: 'wrong-cluster', metadata: { clusterId: 'c1', refused: 'c2' } });
        await storage.write(persist({ entries: firstEntries('a') }));
        expect((await restart(storage)).identity.clusterId).toBe('c1');
      });

      it('accepts the first of two concurrent clusters', async () => {
        const { storage } = await start();
        const results = await Promise.allSettled([storage.setClusterId('c1'), storage.setClusterId('c2')]);
        expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
        expect((await restart(storage)).identity.clusterId).toBe('c1');
      });
    });

    describe('founding', () => {
      const first = () =>
        persist({ hardState: { term: 1, votedFor: null, commit: 0 }, entries: firstEntries('a') });

      it('is one write: the cluster and the first entry, or neither', async () => {
        const { storage } = await start();
        await storage.write(first(), 'c1');
        await storage.setClusterId('c1');
        const again = await restart(storage);
        expect(again.identity.clusterId).toBe('c1');
        expect(again.state.headers).toHaveLength(1);
        await again.storage.write(persist({ hardState: { term: 2, votedFor: null, commit: 1 } }));
        expect((await restart(again.storage)).identity.clusterId).toBe('c1');
      });

      it('leaves nothing behind when it fails', async () => {
        const { storage } = await start();
        expect(await errorOf(disk.failingWrite(storage, first(), 'c1'))).toMatchObject({ code: 'io' });
        const again = await restart(storage);
        expect(again.identity.clusterId).toBeNull();
        expect(again.state.headers).toEqual([]);
      });

      it('is refused on the disk of another cluster', async () => {
        const { storage } = await start();
        await storage.setClusterId('c2');
        expect(await errorOf(storage.write(first(), 'c1'))).toMatchObject({ code: 'wrong-cluster' });
        const again = await restart(storage);
        expect(again.identity.clusterId).toBe('c2');
        expect(again.state.headers).toEqual([]);
      });
    });

    describe('write', () => {
      it('keeps the note that the disk lost something', async () => {
        const { storage } = await start();
        const hardState = { term: 4, votedFor: null, commit: 0, reverted: true };
        await storage.write(persist({ hardState }));
        expect((await restart(storage)).state.hardState).toEqual(hardState);
      });

      it('keeps term, vote, commit and entries over a restart', async () => {
        const { storage } = await start();
        const entries = firstEntries('a', 'b', 'c');
        const hardState = { term: 4, votedFor: 'n3', commit: 2 };
        await storage.write(persist({ hardState, entries }));
        const { state } = await restart(storage);
        expect(state.hardState).toEqual(hardState);
        expect(state.headers).toEqual(entries.map(({ data: _, ...header }) => header));
      });

      it('replaces a truncated tail', async () => {
        const { storage } = await start();
        const entries = firstEntries('a', 'b', 'c', 'd');
        await storage.write(persist({ entries }));
        const others = entriesAfter(positionOf(entries[1]!), 2, ['B']);
        const hardState = { term: 2, votedFor: null, commit: 0 };
        await storage.write(persist({ hardState, truncateFrom: 3, entries: others }));
        expect(await texts(storage, 1, 3)).toEqual(['a', 'b', 'B']);
        const restarted = await restart(storage);
        expect(restarted.state.headers.map(({ index, term }) => [index, term])).toEqual([
          [1, 1],
          [2, 1],
          [3, 2],
        ]);
        expect(await texts(restarted.storage, 1, 3)).toEqual(['a', 'b', 'B']);
      });

      it('truncates without appending, even the whole log', async () => {
        const { storage } = await start();
        await storage.write(persist({ entries: firstEntries('a', 'b', 'c') }));
        await storage.write(persist({ truncateFrom: 3 }));
        const second = await restart(storage);
        expect(second.state.headers).toHaveLength(2);
        await second.storage.write(persist({ truncateFrom: 1 }));
        expect((await restart(second.storage)).state.headers).toEqual([]);
      });

      it('compacts: deletes entries up to the snapshot, keeps those after it', async () => {
        const { storage } = await start();
        const entries = firstEntries('a', 'b', 'c', 'd');
        await storage.write(persist({ entries }));
        const snapshot = snapshotAt(entries[1]!, 'state at 2');
        await storage.write(persist({ snapshot }));
        expect(await texts(storage, 3, 4)).toEqual(['c', 'd']);
        expect(await errorOf(storage.readEntries(2, 4, 1e6))).toMatchObject({
          code: 'not-in-log',
          metadata: { firstIndex: 3, lastIndex: 4 },
        });
        const restarted = await restart(storage);
        const { data: _, ...meta } = snapshot;
        expect(restarted.state.snapshot).toEqual(meta);
        expect(restarted.state.headers.map(({ index }) => index)).toEqual([3, 4]);
        expect(await restarted.storage.readSnapshot()).toEqual(snapshot);
      });

      it('compacts up to the last entry, and appends in the same write', async () => {
        const { storage } = await start();
        const entries = firstEntries('a', 'b');
        await storage.write(persist({ entries, snapshot: snapshotAt(entries[1]!, 'state') }));
        const more = entriesAfter(positionOf(entries[1]!), 1, ['c', 'd']);
        await storage.write(persist({ entries: more, snapshot: snapshotAt(more[0]!, 'later state') }));
        const restarted = await restart(storage);
        expect(restarted.state.snapshot?.index).toBe(3);
        expect(await texts(restarted.storage, 4, 4)).toEqual(['d']);
      });

      it('starts a new log after a received snapshot, ahead of it or within it', async () => {
        const { storage } = await start();
        await storage.write(persist({ entries: firstEntries('a', 'b') }));
        const ahead = snapshotAt({ index: 100, term: 3, chainHash: 12345 }, 'state at 100');
        const hardState = { term: 3, votedFor: null, commit: 100 };
        await storage.write(persist({ hardState, snapshot: ahead, resetLog: true }));
        const entries = entriesAfter(ahead, 3, ['x', 'y', 'z']);
        await storage.write(persist({ hardState, entries }));
        const second = await restart(storage);
        expect(second.state.snapshot?.index).toBe(100);
        expect(await texts(second.storage, 101, 103)).toEqual(['x', 'y', 'z']);

        const within = snapshotAt({ index: 102, term: 3, chainHash: 777 }, 'another state');
        await second.storage.write(persist({ hardState, snapshot: within, resetLog: true }));
        const third = await restart(second.storage);
        expect(third.state.headers).toEqual([]);
        expect(await third.storage.readSnapshot()).toEqual(within);
        await third.storage.write(persist({ hardState, entries: entriesAfter(within, 3, ['new']) }));
        expect(await texts(third.storage, 103, 103)).toEqual(['new']);
      });

      it('keeps the log usable when far more is purged than one batch deletes', async () => {
        const { storage } = await start();
        const entries = entriesAfter(
          { index: 0, term: 0, chainHash: 0 },
          1,
          Array.from({ length: 1700 }, (_, i) => `e${i + 1}`),
        );
        await storage.write(persist({ entries }));
        await storage.write(persist({ snapshot: snapshotAt(entries[1599]!, 'state') }));
        expect(await texts(storage, 1601, 1602)).toEqual(['e1601', 'e1602']);
        const restarted = await restart(storage);
        expect(restarted.state.headers.map(({ index }) => index)).toEqual(
          Array.from({ length: 100 }, (_, i) => 1601 + i),
        );
        await restarted.storage.write(persist({ entries: [entryAfter(entries[1699]!, 1, 'next')] }));
        expect(await texts(restarted.storage, 1700, 1701)).toEqual(['e1700', 'next']);
      });

      it('finds the configurations of the log again, even after one was truncated', async () => {
        const { storage } = await start();
        const configuration = (id: string) => ({ members: [{ id, address: 'h:1', voter: true }] });
        const [first] = firstEntries('a');
        const second = entryAfter(first!, 1, JSON.stringify(configuration('n1')), 'config');
        const third = entryAfter(second, 1, JSON.stringify(configuration('n2')), 'config');
        await storage.write(persist({ entries: [first!, second, third] }));
        const restarted = await restart(storage);
        expect(restarted.state.configurations).toEqual([
          { index: 2, configuration: configuration('n1') },
          { index: 3, configuration: configuration('n2') },
        ]);
        await restarted.storage.write(persist({ truncateFrom: 3, entries: [entryAfter(second, 1, 'c')] }));
        expect((await restart(restarted.storage)).state.configurations).toEqual([
          { index: 2, configuration: configuration('n1') },
        ]);
      });

      it('keeps large and empty data', async () => {
        const { storage } = await start();
        const large = Buffer.alloc(3_000_000, 'payload');
        const entries = entriesAfter({ index: 0, term: 0, chainHash: 0 }, 1, [large, '']);
        await storage.write(
          persist({ entries, snapshot: snapshotAt({ index: 0, term: 0, chainHash: 0 }, '') }),
        );
        await storage.write(persist({ snapshot: snapshotAt(entries[0]!, large) }));
        const restarted = await restart(storage);
        expect(await texts(restarted.storage, 2, 2)).toEqual(['']);
        expect(Buffer.from((await restarted.storage.readSnapshot())!.data).equals(large)).toBe(true);
      });

      it.each<[string, Partial<Persist>]>([
        ['a hole before its entries', { entries: [entryAfter({ index: 2, term: 1, chainHash: 1 }, 1, 'x')] }],
        ['entries of another log', { entries: [entryAfter({ index: 1, term: 1, chainHash: 1 }, 1, 'x')] }],
        ['a truncation beyond the end', { truncateFrom: 3 }],
        ['a snapshot beyond the end', { snapshot: snapshotAt({ index: 5, term: 1, chainHash: 1 }, 'x') }],
        ['a new start without a snapshot', { resetLog: true }],
      ])('refuses %s', async (_, change) => {
        const { storage } = await start();
        await storage.write(persist({ entries: firstEntries('a') }));
        expect((await errorOf(storage.write(persist(change)))).code).toBe('invalid-write');
        expect((await restart(storage)).state.headers).toHaveLength(1);
      });

      it('refuses a snapshot older than the one it has', async () => {
        const { storage } = await start();
        const entries = firstEntries('a', 'b', 'c');
        await storage.write(persist({ entries, snapshot: snapshotAt(entries[1]!, 'at 2') }));
        const older = persist({ snapshot: snapshotAt(entries[0]!, 'at 1'), resetLog: true });
        expect((await errorOf(storage.write(older))).code).toBe('invalid-write');
      });
    });

    describe('failure', () => {
      it('latches a failed write: every later call fails with the same error', async () => {
        const { storage } = await start();
        await storage.write(persist({ entries: firstEntries('a') }));
        const failed = await errorOf(disk.failingWrite(storage, persist({ truncateFrom: 1 })));
        expect(failed.code).toBe('io');
        expect(await errorOf(storage.write(persist({})))).toBe(failed);
        expect(await errorOf(storage.readEntries(1, 1, 1))).toBe(failed);
        expect(await errorOf(storage.readSnapshot())).toBe(failed);
        expect(await errorOf(storage.setClusterId('c'))).toBe(failed);
        expect((await restart(storage)).state.headers).toHaveLength(1);
      });

      it('refuses calls before open and after close', async () => {
        expect((await errorOf(disk.storage().write(persist({})))).code).toBe('not-open');
        const { storage } = await start();
        await stop(storage);
        expect((await errorOf(storage.readSnapshot())).code).toBe('not-open');
      });
    });

    describe('reading', () => {
      it('stops before the limit is exceeded, but returns at least one entry', async () => {
        const { storage } = await start();
        await storage.write(persist({ entries: firstEntries('aaaa', 'bbbb', 'cccc') }));
        expect(await texts(storage, 1, 3, 8)).toEqual(['aaaa', 'bbbb']);
        expect(await texts(storage, 1, 3, 7)).toEqual(['aaaa']);
        expect(await texts(storage, 2, 3, 0)).toEqual(['bbbb']);
      });

      it.each([
        [0, 1],
        [1, 3],
        [3, 3],
        [2, 1],
      ])('refuses entries %i to %i of a log of two, and goes on', async (from, to) => {
        const { storage } = await start();
        await storage.write(persist({ entries: firstEntries('a', 'b') }));
        expect((await errorOf(storage.readEntries(from, to, 100))).code).toBe('not-in-log');
        expect(await texts(storage, 1, 2)).toEqual(['a', 'b']);
      });
    });

    describeSnapshotTransfer({ start, restart });

    describe('recovery', () => {
      async function stoppedWith(entries: LoadedEntry[]): Promise<void> {
        const { storage } = await start();
        await storage.write(persist({ entries }));
        await stop(storage);
      }

      it.each<[string, StorageErrorCode, (disk: DiskUnderTest) => Promise<void>]>([
        ['a damaged manifest', 'damaged-manifest', (d) => d.damageManifest()],
        ['a missing first entry', 'missing-entry', (d) => d.removeEntry(1)],
        ['a missing entry in the middle', 'missing-entry', (d) => d.removeEntry(2)],
        ['a missing last entry', 'missing-entry', (d) => d.removeEntry(3)],
        ['an entry of another log', 'chain-mismatch', (d) => d.replaceEntry(foreignEntry(2))],
        ['a last entry of another log', 'chain-mismatch', (d) => d.replaceEntry(foreignEntry(3))],
        ['damaged data', 'damaged-entry', (d) => d.damageData(3)],
      ])('refuses %s and tells what to do', async (_, code, damage) => {
        await stoppedWith(firstEntries('a', 'b', 'c'));
        await damage(disk);
        const error = await refusedStart();
        expect(error.code).toBe(code);
        expect(error.message).toContain('join again as a new member');
      });

      const foreignEntry = (index: number) =>
        entryAfter({ index: index - 1, term: 1, chainHash: 99 }, 1, 'foreign');
    });
  });
}
