import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Level } from 'level';
import fc from 'fast-check';
import type { LoadedEntry } from '../core/entries.js';
import type { Persist } from '../core/outputs.js';
import type { StorageErrorCode } from './errors.js';
import { STORAGE_FORMATS } from './formats.js';
import { FORMAT_KEY, IDENTITY_KEY, MANIFEST_KEY, dataKey, headerKey, snapshotChunkKey } from './keys.js';
import { LevelStorage } from './level-storage.js';
import { ORIGIN, positionOf } from './manifest.js';
import { MemoryDisk, MemoryStorage } from './memory-storage.js';
import { encodeHeader, seal, unseal } from './records.js';
import { schemas } from './schemas.js';
import type { Storage } from './storage.js';
import { describeStorage } from './testing/storage-contract.js';
import { entriesAfter, entryAfter, firstEntries, persist, snapshotAt } from './testing/test-log.js';

type RawDatabase = Level<Buffer, Buffer>;

/** Changes the database behind the storage's back. */
async function onDatabase<T>(directory: string, work: (database: RawDatabase) => Promise<T>): Promise<T> {
  const database: RawDatabase = new Level(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  });
  await database.open();
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

const newDirectory = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'baton-storage-'));

describeStorage('LevelStorage', async () => {
  const directory = await newDirectory();
  return {
    storage: () => new LevelStorage({ directory }),
    failingWrite: async (storage, order, clusterId) => {
      const batch = jest.spyOn(Level.prototype, 'batch');
      batch.mockImplementationOnce(() => Promise.reject(new Error('injected')) as never);
      try {
        await storage.write(order, clusterId);
      } finally {
        batch.mockRestore();
      }
    },
    damageManifest: () =>
      onDatabase(directory, (database) => database.put(MANIFEST_KEY, Buffer.from('damaged'))),
    removeEntry: (index) => onDatabase(directory, (database) => database.del(headerKey(index))),
    damageData: (index) =>
      onDatabase(directory, (database) => database.put(dataKey(index), Buffer.from('damaged'))),
    replaceEntry: (entry) =>
      onDatabase(directory, async (database) => {
        await database.put(headerKey(entry.index), encodeHeader(entry));
        await database.put(dataKey(entry.index), Buffer.from(entry.data));
      }),
    dispose: () => rm(directory, { recursive: true }),
  };
});

describe('LevelStorage on disk', () => {
  let directory: string;
  let storage: LevelStorage;

  beforeEach(async () => {
    directory = await newDirectory();
    storage = new LevelStorage({ directory });
  });
  afterEach(async () => {
    await storage.close();
    await rm(directory, { recursive: true });
  });

  async function writtenAndClosed(...orders: Persist[]): Promise<void> {
    await storage.open('n1');
    for (const order of orders) await storage.write(order);
    await storage.close();
  }

  const reopened = async (): Promise<LevelStorage> => {
    storage = new LevelStorage({ directory });
    await storage.open('n1');
    return storage;
  };

  it('names the directory when another process holds it', async () => {
    const level = createRequire(import.meta.url).resolve('level');
    const script = `
      const { Level } = require(${JSON.stringify(level)});
      new Level(${JSON.stringify(directory)}).open().then(() => console.log('open'));
      setInterval(() => undefined, 1000);`;
    const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(holder.stdout, 'data');
      const refused = storage.open('n1');
      await expect(refused).rejects.toMatchObject({ code: 'locked', metadata: { directory } });
      await expect(refused).rejects.toThrow(directory);
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
  });

  it('refuses a foreign database', async () => {
    await onDatabase(directory, (database) => database.put(Buffer.from('key'), Buffer.from('value')));
    await expect(storage.open('n1')).rejects.toMatchObject({
      code: 'foreign-database',
      metadata: { directory },
    });
  });

  it.each<[string, string | number, StorageErrorCode, string]>([
    ['a newer release', STORAGE_FORMATS.newest + 1, 'newer-format', 'run that release'],
    ['a release too old', STORAGE_FORMATS.oldest - 1, 'older-format', 'start each release in between once'],
    ['nobody', 'two', 'damaged-database', 'move the directory away'],
    ['nobody, and empty', '', 'damaged-database', 'move the directory away'],
  ])('refuses the format of %s, says what to do, and changes nothing', async (_, format, code, remedy) => {
    await writtenAndClosed(persist({ entries: firstEntries('a') }));
    const right = await onDatabase(directory, async (database) => {
      const before = await database.get(FORMAT_KEY);
      await database.put(FORMAT_KEY, Buffer.from(String(format)));
      return before;
    });
    await expect(storage.open('n1')).rejects.toMatchObject({ code });
    await expect(storage.open('n1')).rejects.toThrow(remedy);
    await onDatabase(directory, (database) => database.put(FORMAT_KEY, right));
    expect((await storage.open('n1')).state.headers).toHaveLength(1);
  });

  it('refuses a database without its CURRENT file instead of starting an empty one', async () => {
    await writtenAndClosed(persist({ entries: firstEntries('a') }));
    await rm(path.join(directory, 'CURRENT'));
    await expect(storage.open('n1')).rejects.toMatchObject({
      code: 'damaged-database',
      metadata: { directory },
    });
    expect(await readdir(directory)).not.toContain('CURRENT');
  });

  it.each([
    ['damaged-identity', IDENTITY_KEY],
    ['damaged-header', headerKey(1)],
  ])('refuses with %s', async (code, key) => {
    await writtenAndClosed(persist({ entries: firstEntries('a', 'b') }));
    await onDatabase(directory, (database) => database.put(key, Buffer.alloc(29)));
    await expect(storage.open('n1')).rejects.toMatchObject({ code });
  });

  it('refuses a term that fell behind the log', async () => {
    await writtenAndClosed(persist({ entries: firstEntries('a') }));
    await onDatabase(directory, async (database) => {
      const manifest = unseal(await database.get(MANIFEST_KEY), schemas.manifest)!;
      await database.put(MANIFEST_KEY, seal({ ...manifest, hardState: { ...manifest.hardState, term: 0 } }));
    });
    await expect(storage.open('n1')).rejects.toMatchObject({ code: 'term-mismatch' });
  });

  it('notices a damaged snapshot when it is read', async () => {
    const [entry] = firstEntries('a');
    await writtenAndClosed(
      persist({ entries: [entry!], snapshot: snapshotAt(entry!, Buffer.alloc(2_500_000, 1)) }),
    );
    await onDatabase(directory, (database) => database.put(snapshotChunkKey(1, 2), Buffer.alloc(500_000)));
    await expect((await reopened()).readSnapshot()).rejects.toMatchObject({ code: 'damaged-snapshot' });
  });

  it('deletes what the manifest does not cover', async () => {
    const entries = firstEntries('a', 'b', 'c');
    await writtenAndClosed(persist({ entries, snapshot: snapshotAt(entries[0]!, 'state') }));
    await onDatabase(directory, async (database) => {
      for (const leftover of [entries[0]!, entryAfter(entries[2]!, 1, 'never confirmed')]) {
        await database.put(headerKey(leftover.index), encodeHeader(leftover));
        await database.put(dataKey(leftover.index), Buffer.from(leftover.data));
      }
    });
    await (await reopened()).close();
    const indexes = await onDatabase(directory, (database) =>
      database.keys({ gte: headerKey(0), lt: snapshotChunkKey(0, 0) }).all(),
    );
    expect(indexes.map((key) => [key.readUInt8(0), key.readUInt8(8)])).toEqual([
      [3, 2],
      [3, 3],
      [4, 2],
      [4, 3],
      [6, 1],
    ]);
  });

  it('deletes what a killed process had received of a snapshot', async () => {
    await writtenAndClosed();
    await writeFile(path.join(directory, 'incoming-snapshot'), 'half of it');
    await reopened();
    expect(await readdir(directory)).not.toContain('incoming-snapshot');
  });

  it('stops reading a snapshot that was replaced, and goes on', async () => {
    await storage.open('n1');
    const [first, second] = firstEntries('a', 'b') as [LoadedEntry, LoadedEntry];
    await storage.write(persist({ entries: [first, second], snapshot: snapshotAt(first, 'old') }));
    const source = await storage.openSnapshot();
    await storage.write(persist({ snapshot: snapshotAt(second, 'new') }));
    await expect(source?.read(0)).rejects.toMatchObject({ code: 'not-in-log' });
    expect(await storage.readSnapshot()).toMatchObject({ index: 2 });
  });

  it('notices that a confirmed write is gone', async () => {
    await writtenAndClosed(
      persist({ entries: firstEntries('a') }),
      persist({ hardState: { term: 5, votedFor: 'n2', commit: 0 } }),
    );
    // LevelDB reads its log up to the first damaged record and treats that as the end.
    const logs = (await readdir(directory)).filter((file) => file.endsWith('.log'));
    expect(logs).toHaveLength(1);
    const log = path.join(directory, logs[0]!);
    const bytes = await readFile(log);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 0xff, bytes.length - 5);
    await writeFile(log, bytes);
    await expect(new LevelStorage({ directory }).open('n1')).rejects.toMatchObject({
      code: 'lost-write',
      metadata: { foundSeq: 1, confirmedSeq: 2 },
    });
  });

  it('does not mistake a database that lost everything for a new one', async () => {
    await writtenAndClosed(persist({ entries: firstEntries('a') }));
    for (const file of await readdir(directory)) {
      if (file.endsWith('.log')) await rm(path.join(directory, file));
    }
    await expect(storage.open('n1')).rejects.toMatchObject({
      code: 'lost-write',
      metadata: { foundSeq: 0, confirmedSeq: 1 },
    });
  });

  it.each(['', 'garbage', '\0'.repeat(40)])('starts with an unreadable write mark (%j)', async (content) => {
    await writtenAndClosed(persist({ entries: firstEntries('a') }));
    await writeFile(path.join(directory, 'write-mark'), content);
    await expect(storage.open('n1')).resolves.toMatchObject({ identity: { nodeId: 'n1' } });
  });

  it('refuses a second write during the first', async () => {
    await storage.open('n1');
    const first = storage.write(persist({ seq: 1 }));
    await expect(storage.write(persist({ seq: 2 }))).rejects.toMatchObject({ code: 'concurrent-write' });
    await first;
    await expect(storage.readSnapshot()).rejects.toMatchObject({ code: 'concurrent-write' });
  });

  it('reads one log or the other while the tail is replaced, never a mixture', async () => {
    await storage.open('n1');
    const base = firstEntries('base');
    await storage.write(persist({ entries: base }));
    let term = 1;
    for (let round = 0; round < 30; round++) {
      term++;
      const data = Array.from({ length: 20 }, () => `of term ${term}`);
      const entries = entriesAfter(positionOf(base[0]!), term, data);
      const hardState = { term, votedFor: null, commit: 0 };
      const written = storage.write(persist({ hardState, truncateFrom: 2, entries }));
      if (round > 0) {
        const read = await storage.readEntries(2, 21, 1e6);
        expect(new Set(read.map((entry) => Buffer.from(entry.data).toString()))).toEqual(
          new Set([`of term ${read[0]!.term}`]),
        );
      }
      await written;
    }
  });

  it('keeps the disk within twice what the log retains', async () => {
    const retainedBytesMax = 32 << 20;
    const data = Buffer.alloc(100_000, 'payload');
    storage = new LevelStorage({ directory, writeBufferBytes: 1 << 20, reclaimEveryBytes: 2 << 20 });
    await storage.open('n1');
    let diskBytesMax = 0;
    let log: LoadedEntry[] = [];
    for (let i = 1; i <= 1000; i++) {
      const entry = entryAfter(log.at(-1) ?? ORIGIN, 1, data);
      log.push(entry);
      const order = persist({ entries: [entry] });
      if (log.length * data.length > retainedBytesMax) {
        const keep = Math.floor((retainedBytesMax * 0.75) / data.length);
        order.snapshot = snapshotAt(log.at(-keep - 1)!, 'state');
        log = log.slice(-keep);
      }
      await storage.write(order);
      if (i % 10 === 0) diskBytesMax = Math.max(diskBytesMax, await bytesIn(directory));
    }
    expect(diskBytesMax).toBeGreaterThan(retainedBytesMax / 2);
    expect(diskBytesMax).toBeLessThan(2 * retainedBytesMax);
  });
});

async function bytesIn(directory: string): Promise<number> {
  const files = await readdir(directory);
  const sizes = files.map((file) =>
    stat(path.join(directory, file)).then(
      ({ size }) => size,
      () => 0, // deleted meanwhile
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** One step of a random history. The numbers are reduced to what the log allows at that point. */
type Step = { do: 'append' | 'truncate' | 'compact' | 'reset' | 'restart'; a: number; b: number };

describe('LevelStorage and MemoryStorage', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    do: fc.constantFrom(
      'append' as const,
      'append' as const,
      'truncate' as const,
      'compact' as const,
      'reset' as const,
      'restart' as const,
    ),
    a: fc.nat(1000),
    b: fc.nat(4),
  });

  it('agree after any history', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const directory = await newDirectory();
        const disk = new MemoryDisk();
        const make = { level: () => new LevelStorage({ directory }), memory: () => new MemoryStorage(disk) };
        let level: Storage = make.level();
        let memory: Storage = make.memory();
        try {
          await level.open('n1');
          await memory.open('n1');
          let base = ORIGIN;
          let log: LoadedEntry[] = [];
          for (const [i, { do: what, a, b }] of steps.entries()) {
            const term = i + 1;
            const order = persist({ seq: term, hardState: { term, votedFor: null, commit: base.index } });
            const data = Array.from({ length: b + 1 }, (_, n) => `${i}.${n}`);
            if (what === 'append' || what === 'truncate') {
              const kept = what === 'append' ? log.length : a % (log.length + 1);
              if (what === 'truncate') order.truncateFrom = base.index + kept + 1;
              order.entries = entriesAfter(kept === 0 ? base : positionOf(log[kept - 1]!), term, data);
              log = [...log.slice(0, kept), ...order.entries];
            } else if (what === 'compact' && log.length > 0) {
              const last = log[a % log.length]!;
              order.snapshot = snapshotAt(last, `state ${i}`);
              base = positionOf(last);
              log = log.filter(({ index }) => index > last.index);
            } else if (what === 'reset') {
              base = { index: Math.max(1, base.index + (a % 40)), term, chainHash: a };
              order.snapshot = snapshotAt(base, `received ${i}`);
              order.resetLog = true;
              log = [];
            }
            await level.write(order);
            await memory.write(order);
            if (what === 'restart') {
              await level.close();
              level = make.level();
              memory = make.memory();
              const states = [await level.open('n1'), await memory.open('n1')].map(({ state }) => state);
              expect(states[0]).toEqual(states[1]);
            }
            expect(await level.readSnapshot()).toEqual(await memory.readSnapshot());
            if (log.length === 0) continue;
            const [from, to] = [base.index + 1, base.index + log.length];
            const read = await level.readEntries(from, to, 1e6);
            expect(read).toEqual(await memory.readEntries(from, to, 1e6));
            expect(read).toEqual(log);
          }
        } finally {
          await level.close();
          await rm(directory, { recursive: true });
        }
      }),
      { numRuns: 60 },
    );
  });
});
