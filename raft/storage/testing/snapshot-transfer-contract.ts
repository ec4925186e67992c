import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { LoadedEntry } from '../../core/entries.js';
import { positionOf } from '../manifest.js';
import type { Storage } from '../storage.js';
import { firstEntries, persist, snapshotAt } from './test-log.js';

export interface StorageProcess {
  /** An open storage on the disk under test. */
  start: () => Promise<{ storage: Storage }>;
  restart: (storage: Storage) => Promise<{ storage: Storage }>;
}

/** What storage.ts promises for snapshots that are sent and received in pieces. */
export function describeSnapshotTransfer({ start, restart }: StorageProcess): void {
  describe('a snapshot in transfer', () => {
    const data = Buffer.from(Array.from({ length: 700_000 }, (_, i) => i % 251));
    const position = { index: 9, term: 3, chainHash: 77 };
    const received = snapshotAt(position, data);
    const id = { ...position, byteLength: data.length, crc: crc32(data) };
    const piece = (from: number, to: number) => data.subarray(from, to);

    it('is read in pieces, until another replaces it', async () => {
      const { storage } = await start();
      expect(await storage.openSnapshot()).toBeNull();
      const [first, second] = firstEntries('a', 'b') as [LoadedEntry, LoadedEntry];
      await storage.write(persist({ entries: [first, second], snapshot: snapshotAt(first, data) }));
      const source = await storage.openSnapshot();
      expect(source?.id).toEqual({ ...positionOf(first), byteLength: data.length, crc: crc32(data) });
      const pieces: Uint8Array[] = [];
      // Not where a piece begins: a peer may have got this far from another sender.
      for (let at = 5; at < data.length; at += pieces.at(-1)?.length ?? 0) {
        pieces.push((await source?.read(at)) as Uint8Array);
      }
      expect(pieces.length).toBeGreaterThan(2);
      expect(Buffer.concat(pieces).equals(data.subarray(5))).toBe(true);
    });

    it('is accepted in order, once, and only when complete', async () => {
      const { storage } = await start();
      expect(await storage.receiveSnapshot(id, 0, piece(0, 0))).toBe(0);
      expect(await storage.receiveSnapshot(id, 0, piece(0, 300_000))).toBe(300_000);
      expect(await storage.receiveSnapshot(id, 0, piece(0, 300_000))).toBe(300_000);
      expect(await storage.receiveSnapshot(id, 400_000, piece(400_000, 500_000))).toBe(300_000);
      expect(await storage.receiveSnapshot(id, 300_000, Buffer.alloc(data.length))).toBe(300_000);
      expect(await storage.takeReceivedSnapshot(received)).toBeUndefined();
      expect(await storage.receiveSnapshot(id, 300_000, piece(300_000, data.length))).toBe(data.length);
      expect(await storage.takeReceivedSnapshot({ ...received, index: 10 })).toBeUndefined();
      const taken = await storage.takeReceivedSnapshot(received);
      expect(data.equals(taken ?? Buffer.alloc(0))).toBe(true);
      expect(await storage.takeReceivedSnapshot(received)).toBeUndefined();
      // Nothing of it was ever part of the state.
      expect(await storage.readSnapshot()).toBeNull();
    });

    it('gives way to another', async () => {
      const { storage } = await start();
      await storage.receiveSnapshot(id, 0, piece(0, 300_000));
      const other = { ...id, index: 10 };
      expect(await storage.receiveSnapshot(other, 0, piece(0, 0))).toBe(0);
      expect(await storage.receiveSnapshot(other, 0, piece(0, 10))).toBe(10);
      expect(await storage.receiveSnapshot(id, 0, piece(0, 0))).toBe(0);
    });

    it('is refused when it differs from the announcement, and starts over', async () => {
      const { storage } = await start();
      const wrong = { ...id, byteLength: 4, crc: 1 };
      await storage.receiveSnapshot(wrong, 0, piece(0, 4));
      expect(await storage.takeReceivedSnapshot(received)).toBeUndefined();
      expect(await storage.receiveSnapshot(wrong, 0, piece(0, 0))).toBe(0);
    });

    it('may be empty', async () => {
      const { storage } = await start();
      expect(await storage.receiveSnapshot({ ...id, byteLength: 0, crc: 0 }, 0, piece(0, 0))).toBe(0);
      expect(await storage.takeReceivedSnapshot(received)).toEqual(Buffer.alloc(0));
      const [first] = firstEntries('a') as [LoadedEntry];
      await storage.write(persist({ entries: [first], snapshot: snapshotAt(first, '') }));
      expect((await storage.openSnapshot())?.id.byteLength).toBe(0);
      expect(await (await restart(storage)).storage.readSnapshot()).toMatchObject({ index: 1 });
    });

    it('is forgotten when the process ends', async () => {
      const { storage } = await start();
      await storage.receiveSnapshot(id, 0, piece(0, 300_000));
      const again = (await restart(storage)).storage;
      expect(await again.receiveSnapshot(id, 0, piece(0, 0))).toBe(0);
    });
  });
}
