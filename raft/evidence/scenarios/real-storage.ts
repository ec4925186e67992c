import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, jest } from '@jest/globals';
import { Level } from 'level';
import { pino } from 'pino';
import { withData } from '../../runtime/complete-message.js';
import { RaftNode } from '../../runtime/raft-node.js';
import { MemoryNetwork } from '../../runtime/testing/memory-network.js';
import { eventually } from '../../testing/eventually.js';
import { LARGE_LIMITS, PATIENT_TIMING, RETENTION } from '../../testing/options.js';
import { LevelStorage } from '../../storage/level-storage.js';
import { MemoryStorage } from '../../storage/memory-storage.js';
import { entriesAfter, firstEntries, persist } from '../../storage/testing/test-log.js';
import { ORIGIN } from '../../storage/manifest.js';
import { realScenario } from './dsl/scenario.js';

async function onDisk(play: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'raft-scenario-'));
  try {
    await play(directory);
  } finally {
    jest.restoreAllMocks();
    await rm(directory, { recursive: true });
  }
}

/** LevelDB's own log, where the latest writes are. */
async function writeAheadLog(directory: string): Promise<string> {
  const logs = (await readdir(directory)).filter((file) => file.endsWith('.log'));
  return path.join(directory, logs.at(-1) as string);
}

realScenario(
  {
    bug: 28,
    title: 'an append whose entries were replaced before they were read is void',
    wrong:
      'A leader reads the entries of an append after its log was cut, and sends entries of two terms as if they were one log.',
    seen: 'databendlabs/openraft docs log_stream',
    guardedIn: ['runtime/complete-message.ts'],
  },
  async () => {
    const storage = new MemoryStorage();
    await storage.open('a');
    const old = entriesAfter(ORIGIN, 1, ['x', 'y']);
    await storage.write(persist({ entries: old }));
    const message = {
      type: 'append' as const,
      term: 1,
      requestId: 1,
      prevIndex: 0,
      prevTerm: 0,
      prevHash: 0,
      commit: 0,
      entries: old.map((entry) => ({ ...entry, data: undefined })),
    };
    await expect(withData(message, storage)).resolves.toMatchObject({ entries: old });
    const hardState = { term: 2, votedFor: null, commit: 0 };
    await storage.write(
      persist({ seq: 2, hardState, truncateFrom: 1, entries: entriesAfter(ORIGIN, 2, ['z', 'z']) }),
    );
    await expect(withData(message, storage)).rejects.toThrow('cut');
  },
);

realScenario(
  {
    bug: 29,
    title: 'a disk that lost its last write is refused, with words, and not run with a commit beyond its log',
    wrong:
      'A disk comes back without its last write. The node starts with a commit index beyond its log, or crashes without an explanation.',
    seen: 'etcd-io/etcd#10166, #10817; etcd-io/raft#25, #104; cockroachdb/cockroach#25173; camunda/camunda#30354',
    guardedIn: ['storage/checks.ts', 'storage/write-mark.ts'],
  },
  () =>
    onDisk(async (directory) => {
      const storage = new LevelStorage({ directory });
      await storage.open('a');
      await storage.write(persist({ entries: firstEntries('1') }));
      const before = await readFile(await writeAheadLog(directory));
      await storage.write(
        persist({ seq: 2, entries: entriesAfter({ ...firstEntries('1')[0]! }, 1, ['2', '3']) }),
      );
      await storage.close();
      await writeFile(await writeAheadLog(directory), before);
      const refused = new LevelStorage({ directory }).open('a');
      await expect(refused).rejects.toMatchObject({ code: 'lost-write' });
      await expect(refused).rejects.toThrow('join again');
    }),
);

realScenario(
  {
    bug: 62,
    title: 'after a failed write nothing is written or read any more',
    wrong:
      'A write fails and is tried again. The second attempt reports success, but what the first had written is gone.',
    seen: 'rostamlabs/rostam#94, #95; cockroachdb/cockroach#37102, #37214; Rebello et al., ATC 2020',
    guardedIn: ['storage/level-storage.ts'],
  },
  () =>
    onDisk(async (directory) => {
      const storage = new LevelStorage({ directory });
      await storage.open('a');
      jest
        .spyOn(Level.prototype, 'batch')
        .mockImplementationOnce(() => Promise.reject(new Error('no space left')) as never);
      const order = persist({ entries: firstEntries('1') });
      await expect(storage.write(order)).rejects.toMatchObject({ code: 'io' });
      // The disk would accept it now, but the hole would stay.
      await expect(storage.write(order)).rejects.toThrow('no space left');
      await expect(storage.readEntries(1, 1, 1)).rejects.toThrow('no space left');
      await storage.close();
    }),
);

realScenario(
  {
    bug: 62,
    title: 'a node whose disk fails ends, and acknowledges nothing',
    wrong: 'A node goes on after its disk failed, and acknowledges what it cannot keep.',
    seen: 'cockroachdb/cockroach#37102',
    guardedIn: ['runtime/disk-writer.ts'],
  },
  async () => {
    const storage = new MemoryStorage();
    const fatal: Error[] = [];
    const node = nodeOn(storage, { apply: () => 1, onFatal: (error) => void fatal.push(error) });
    await startAlone(node);
    storage.manual = true;
    const asked = node.propose(Buffer.from('x'));
    await eventually(() => storage.pendingWrite, 'the write');
    storage.failWrite('the disk is gone');
    expect(await asked).toMatchObject({ outcome: 'unknown' });
    expect(fatal).toMatchObject([{ code: 'io' }]);
    await node.stop();
  },
);

realScenario(
  {
    bug: 63,
    title: 'every write is synced, and so are the directories that were made for it',
    wrong:
      'A file is synced, but the directory that holds its name is not: after a power cut the file is gone.',
    seen: 'etcd-io/etcd#6368, #6378, #14140, #14143, #14370; tikv/tikv#994',
    guardedIn: ['storage/database.ts', 'storage/level-storage.ts'],
  },
  () =>
    onDisk(async (directory) => {
      const handle = await open(directory, 'r');
      const sync = jest.spyOn(Object.getPrototypeOf(handle) as { sync(): Promise<void> }, 'sync');
      const batch = jest.spyOn(Level.prototype, 'batch');
      await handle.close();
      const storage = new LevelStorage({ directory: path.join(directory, 'new', 'newer') });
      await storage.open('a');
      // The parents of `new` and of `newer`.
      expect(sync.mock.calls.length).toBeGreaterThanOrEqual(2);
      await storage.write(persist({ entries: firstEntries('1') }));
      await storage.write(persist({ seq: 2, hardState: { term: 2, votedFor: 'b', commit: 1 } }));
      await storage.close();
      const options = batch.mock.calls.map((call) => (call as unknown[])[1]);
      expect(options.length).toBeGreaterThanOrEqual(3);
      for (const option of options) expect(option).toMatchObject({ sync: true });
    }),
);

realScenario(
  {
    bug: 64,
    title: 'a damaged or shortened log is restored exactly, or refused; never shortened in silence',
    wrong: 'A torn end or a damaged middle of the log is skipped in silence.',
    seen: 'google/leveldb#203, #251, #402; cockroachdb/pebble#453',
    guardedIn: ['storage/checks.ts', 'storage/leveldb/check-files.ts'],
  },
  () =>
    onDisk(async (directory) => {
      const storage = new LevelStorage({ directory });
      const entries = entriesAfter(
        ORIGIN,
        1,
        Array.from({ length: 10 }, (_, i) => `entry ${i}`),
      );
      await storage.open('a');
      for (const [i, entry] of entries.entries()) await storage.write(persist({ seq: i, entries: [entry] }));
      await storage.close();
      const log = await writeAheadLog(directory);
      const whole = await readFile(log);
      const damages: ((bytes: Buffer) => Buffer)[] = [
        ...[0.1, 0.3, 0.5, 0.7, 0.9].map((part) => (bytes: Buffer) => {
          const at = Math.floor(bytes.length * part);
          bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
          return bytes;
        }),
        (bytes) => bytes.subarray(0, bytes.length - 3),
        (bytes) => bytes.fill(0, bytes.length >> 1),
      ];
      const others = await Promise.all(
        (await readdir(directory)).map(
          async (name) => [name, await readFile(path.join(directory, name))] as const,
        ),
      );
      for (const damage of damages) {
        await rm(directory, { recursive: true });
        await mkdir(directory);
        for (const [name, bytes] of others) await writeFile(path.join(directory, name), bytes);
        await writeFile(log, damage(Buffer.from(whole)));
        const again = new LevelStorage({ directory });
        const found = await again.open('a').catch((error: { code: string }) => error);
        if ('state' in found) expect(found.state.headers).toHaveLength(entries.length);
        else expect(found.code).toMatch(/^(lost-write|damaged-.*|missing-entry|chain-mismatch)$/);
        await again.close();
      }
    }),
);

realScenario(
  {
    bug: 69,
    title: 'what the state machine says is the answer, and what it throws ends the node',
    wrong: 'An error of the state machine is swallowed, and the caller is told of success.',
    seen: 'ethereum-optimism/optimism, found by reading op-conductor',
    guardedIn: ['runtime/applier.ts', 'runtime/entry-outcome.ts'],
  },
  async () => {
    const fatal: Error[] = [];
    const apply = (data: string): string => {
      if (data === 'bad') throw new Error('the state machine is broken');
      return data === 'refused' ? 'no effect: refused' : 'fine';
    };
    const node = nodeOn(new MemoryStorage(), { apply, onFatal: (error) => void fatal.push(error) });
    await startAlone(node);
    expect(await node.propose(Buffer.from('x'))).toMatchObject({ outcome: 'done', result: 'fine' });
    expect(await node.propose(Buffer.from('refused'))).toMatchObject({ result: 'no effect: refused' });
    expect(await node.propose(Buffer.from('bad'))).toMatchObject({ outcome: 'unknown' });
    expect(fatal).toMatchObject([{ message: 'the state machine is broken' }]);
    await node.stop();
  },
);

function nodeOn<Result>(
  storage: MemoryStorage,
  { apply, onFatal }: { apply: (data: string) => Result; onFatal: (error: Error) => void },
): RaftNode<Result> {
  return new RaftNode({
    nodeId: 'a',
    priority: 0,
    crashEvidence: true,
    timing: { ...PATIENT_TIMING, electionTimeoutMs: 100, heartbeatIntervalMs: 20 },
    limits: LARGE_LIMITS,
    retention: RETENTION,
    storage,
    stateMachine: {
      apply: ({ data }) => apply(Buffer.from(data).toString()),
      snapshotAt: async () => new Uint8Array(0),
      restore: () => undefined,
    },
    logger: pino({ level: 'silent' }),
    onFatal,
  });
}

/** A cluster of one, ready to serve. */
async function startAlone<Result>(node: RaftNode<Result>): Promise<void> {
  await node.open();
  await node.start(new MemoryNetwork().transportOf('a'));
  const { incarnation } = node.identity;
  await node.bootstrap([{ id: 'a', address: 'a:1', incarnation, voter: true }]);
  await eventually(() => node.isReadyLeader, 'the only node leads');
}
