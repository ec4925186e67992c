import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Level } from 'level';
import { Prng } from '../testing/prng.js';
import { StorageError } from './errors.js';
import { LevelStorage } from './level-storage.js';
import { RandomHistory, contentOf, type DiskContent } from './testing/random-history.js';

/**
 * Cases drawn from seeds. After each fault, the disk has exactly what was confirmed (and perhaps the current write, whole),
 * or the storage refuses with a StorageError that says how to repair it. BATON_STORAGE_ROUNDS=50 runs fifty times as many,
 * BATON_STORAGE_SEED=n only that one.
 */
const ROUNDS = Number(process.env['BATON_STORAGE_ROUNDS'] ?? 1);
const ONLY_SEED = process.env['BATON_STORAGE_SEED'];
const CLUSTER = 'c1'.repeat(16);

jest.setTimeout(120_000 * ROUNDS);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'baton-faults-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Runs a case for `count` seeds in a new directory each. */
async function forSeeds(
  count: number,
  run: (seed: number, prng: Prng, home: string) => Promise<void>,
): Promise<void> {
  const seeds =
    ONLY_SEED === undefined ? Array.from({ length: count * ROUNDS }, (_, i) => i) : [Number(ONLY_SEED)];
  for (const seed of seeds) {
    const home = path.join(directory, String(seed));
    try {
      await run(seed, new Prng(seed), home);
    } catch (error) {
      throw new Error(
        `seed ${seed}; replay: BATON_STORAGE_SEED=${seed} npm run test:unit -- storage-faults -t '${expect.getState().currentTestName ?? ''}'`,
        { cause: error },
      );
    }
    await rm(home, { recursive: true });
  }
}

/** What a new process finds: everything, or why it refuses. */
async function found(home: string): Promise<DiskContent | StorageError> {
  const storage = new LevelStorage({ directory: home });
  try {
    return await contentOf(storage, 'n1');
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  } finally {
    await storage.close();
  }
}

/** The last write that the disk holds, which must be one of `candidates`. */
function expectContent(
  content: DiskContent | StorageError,
  history: RandomHistory,
  candidates: number[],
): number {
  if (content instanceof StorageError) throw content;
  const seq = candidates.find((candidate) =>
    isDeepStrictEqual(plain(content), plain(history.content(candidate))),
  );
  if (seq === undefined) expect(plain(content)).toEqual(plain(history.content(candidates[0] as number)));
  return seq as number;
}

/** Treats buffers and arrays of bytes as equal. */
function plain({ hardState, snapshot, entries }: DiskContent): object {
  const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1');
  return {
    hardState,
    snapshot: snapshot && { ...snapshot, data: text(snapshot.data) },
    entries: entries.map((entry) => ({ ...entry, data: text(entry.data) })),
  };
}

/** Carries out writes 1…`count` with restarts in between, in a directory that joins a cluster. */
async function written(home: string, history: RandomHistory, count: number, prng: Prng): Promise<void> {
  const options = { directory: home, writeBufferBytes: 1 << 16, reclaimEveryBytes: 1 << 15 };
  let storage = new LevelStorage(options);
  await storage.open('n1');
  await storage.setClusterId(CLUSTER);
  for (let seq = 1; seq <= count; seq++) {
    await storage.write(history.order(seq));
    if (!prng.chance(0.1)) continue;
    await storage.close();
    storage = new LevelStorage(options);
    await storage.open('n1');
  }
  await storage.close();
}

describe('a power failure', () => {
  it('in the middle of a write leaves all of it or none', async () => {
    const outcomes = new Set<string>();
    await forSeeds(40, async (seed, prng, home) => {
      const history = new RandomHistory(seed);
      const last = prng.int(1, 20);
      const [before, after] = [`${home}-before`, `${home}-after`];
      // One session with one log: a copy of the open directory is then what a dead process leaves behind.
      const storage = new LevelStorage({ directory: home });
      await storage.open('n1');
      await storage.setClusterId(CLUSTER);
      for (let seq = 1; seq < last; seq++) await storage.write(history.order(seq));
      await cp(home, before, { recursive: true });
      await storage.write(history.order(last));
      await cp(home, after, { recursive: true });
      await storage.close();

      const [file] = (await readdir(after)).filter((name) => name.endsWith('.log')) as [string];
      const synced = (await readFile(path.join(before, file))).length;
      const log = await readFile(path.join(after, file));
      const cut = prng.chance(0.2) ? log.length : prng.int(synced, log.length);
      const tail = prng.pick(['gone', 'zeros', 'garbage'] as const);
      for (let at = cut; at < log.length; at++) log[at] = tail === 'zeros' ? 0 : prng.int(0, 255);
      await writeFile(path.join(after, file), tail === 'gone' ? log.subarray(0, cut) : log);
      // The mark is never synced: a power failure may lose any part of its history.
      await rm(path.join(after, 'write-mark'));
      if (prng.chance(0.5)) await cp(path.join(before, 'write-mark'), path.join(after, 'write-mark'));

      const candidates = cut === log.length ? [last] : [last - 1, last];
      outcomes.add(expectContent(await found(after), history, candidates) === last ? 'all' : 'nothing');
      for (const copy of [before, after]) await rm(copy, { recursive: true });
    });
    if (ONLY_SEED === undefined) expect(outcomes).toEqual(new Set(['all', 'nothing']));
  });
});

describe('damage', () => {
  /** Changes one place of one file. */
  async function damage(home: string, prng: Prng): Promise<string> {
    // LOG and LOCK hold nothing.
    const files = (await readdir(home)).filter((name) => !name.startsWith('LO'));
    const name = prng.pick(files) as string;
    const file = path.join(home, name);
    const bytes = await readFile(file);
    const at = prng.int(0, Math.max(0, bytes.length - 1));
    const how = prng.pick(['bit', 'bit', 'page', 'cut', 'gone'] as const);
    if (how === 'gone') await rm(file);
    else if (how === 'cut') await writeFile(file, bytes.subarray(0, at));
    else {
      if (how === 'page') bytes.fill(0, at, Math.min(bytes.length, at + 4096));
      else if (bytes.length > 0) bytes[at] = (bytes[at] as number) ^ (1 << prng.int(0, 7));
      await writeFile(file, bytes);
    }
    return `${how} ${name.replace(/\d+/, 'N')}`;
  }

  it('anywhere is refused, or harmless', async () => {
    const refused = new Map<string, Set<string>>();
    await forSeeds(20, async (seed, prng, home) => {
      const history = new RandomHistory(seed);
      const last = prng.int(1, 60);
      await written(home, history, last, prng);
      for (let copy = 0; copy < 6; copy++) {
        const damaged = `${home}-damaged`;
        await cp(home, damaged, { recursive: true });
        const what = await damage(damaged, prng);
        const content = await found(damaged);
        if (content instanceof StorageError) {
          expect(content.remedy).not.toBe('');
          // Neither more space nor a retry cures any of this.
          expect({ what, code: content.code }).not.toMatchObject({ code: 'io' });
          refused.set(content.code, (refused.get(content.code) ?? new Set()).add(what));
        } else {
          expectContent(content, history, [last]);
        }
        await rm(damaged, { recursive: true });
      }
    });
    if (ONLY_SEED === undefined)
      expect([...refused.keys()].sort()).toEqual(['damaged-database', 'lost-write']);
  });

  it('of a table is found before LevelDB reads it, which would end the process', async () => {
    await written(directory, new RandomHistory(1), 40, new Prng(1));
    const [table] = (await readdir(directory)).filter((name) => name.endsWith('.ldb')) as [string];
    const bytes = await readFile(path.join(directory, table));
    // Length zero for the first keys: "Assertion `internal_key.size() >= 8' failed".
    await writeFile(path.join(directory, table), bytes.fill(0, 0, 200));
    await expect(found(directory)).resolves.toMatchObject({
      code: 'damaged-database',
      metadata: { directory, file: table },
    });
  });

  it('of a table that is no longer part of the database is harmless', async () => {
    await written(directory, new RandomHistory(1), 40, new Prng(1));
    // What a compaction leaves behind when the process is killed.
    await writeFile(path.join(directory, '009999.ldb'), 'half a table');
    expectContent(await found(directory), new RandomHistory(1), [40]);
  });

  it('that loses the record of the cluster is noticed', async () => {
    const storage = new LevelStorage({ directory });
    await storage.open('n1');
    await storage.close();
    const without = `${directory}-without`;
    await cp(directory, without, { recursive: true });
    await storage.open('n1');
    await storage.setClusterId(CLUSTER);
    await storage.close();
    await cp(path.join(directory, 'write-mark'), path.join(without, 'write-mark'));
    await expect(found(without)).resolves.toMatchObject({ code: 'lost-write' });
    await rm(without, { recursive: true });
  });
});

describe('a write that LevelDB reports as failed', () => {
  it.each([['reached the disk'], ['did not']])('latches, and %s', async (fate) => {
    await forSeeds(8, async (seed, prng, home) => {
      const history = new RandomHistory(seed);
      const last = prng.int(1, 20);
      const storage = new LevelStorage({ directory: home });
      await storage.open('n1');
      for (let seq = 1; seq < last; seq++) await storage.write(history.order(seq));
      const real = Reflect.get(Level.prototype, 'batch') as (...args: unknown[]) => Promise<void>;
      const batch = jest.spyOn(Level.prototype, 'batch').mockImplementationOnce(async function (
        this: unknown,
        ...args: unknown[]
      ) {
        if (fate === 'reached the disk') await real.apply(this, args);
        throw new Error('injected');
      } as never);
      await expect(storage.write(history.order(last))).rejects.toMatchObject({ code: 'io' });
      batch.mockRestore();
      await expect(storage.write(history.order(last))).rejects.toMatchObject({ code: 'io' });
      await expect(storage.readSnapshot()).rejects.toMatchObject({ code: 'io' });
      await storage.close();
      expectContent(await found(home), history, [fate === 'reached the disk' ? last : last - 1]);
    });
  });
});

describe('a writing process', () => {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const SCRIPT = path.join(here, 'testing/writer-process.ts');

  interface Ending {
    /** The last write that it reported as done, or that existed before. */
    done: number;
    /** Code of the error that ended it, and of the second attempt. */
    failed: [string, string] | undefined;
    /** Whether it closed the storage properly. */
    ended: boolean;
  }

  /** Lets a process carry out writes from `first` on, under `command`; killed after `killAfter` of them. */
  async function writer(
    home: string,
    seed: number,
    first: number,
    {
      command = [],
      env = {},
      killAfter = Infinity,
      writes = 400,
    }: {
      command?: string[];
      env?: Record<string, string>;
      killAfter?: number;
      writes?: number;
    },
  ): Promise<Ending> {
    const node = [process.execPath, '--import', 'tsx', SCRIPT, home, seed, first, first + writes - 1].map(
      String,
    );
    const [program, ...args] = [...command, ...node] as [string, ...string[]];
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    });
    const closed = once(child, 'close');
    const ending: Ending = { done: first - 1, failed: undefined, ended: false };
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, ...rest] = line.split(' ') as [string, string, string];
      if (word === 'done') ending.done = Number(rest[0]);
      if (word === 'failed') ending.failed = rest;
      if (word === 'end') ending.ended = true;
      if (ending.done >= first - 1 + killAfter) child.kill('SIGKILL');
    }
    await closed;
    return ending;
  }

  it('that is killed at any moment leaves what it confirmed', async () => {
    await forSeeds(2, async (seed, prng, home) => {
      const history = new RandomHistory(seed);
      let done = 0;
      for (let run = 0; run < 3; run++) {
        const ending = await writer(home, seed, done + 1, { killAfter: prng.int(1, 150) });
        expect(ending).toMatchObject({ failed: undefined, ended: false });
        expect(ending.done).toBeGreaterThan(done);
        done = expectContent(await found(home), history, [ending.done, ending.done + 1]);
      }
    });
  });

  const prlimit = have('prlimit', ['--version']);
  (prlimit ? it : it.skip)(
    'that reaches its file size limit (RLIMIT_FSIZE, needs prlimit) stops and keeps what it confirmed',
    async () => {
      await forSeeds(2, async (seed, prng, home) => {
        const ending = await writer(home, seed, 1, {
          command: ['prlimit', `--fsize=${prng.int(10_000, 40_000)}`],
        });
        expect(ending.failed).toEqual(['io', 'io']);
        expect(ending.ended).toBe(true);
        const { done } = ending;
        expectContent(await found(home), new RandomHistory(seed), [done, done + 1]);
      });
    },
  );

  const compiler = have('cc', ['--version']);
  (compiler ? it : it.skip)(
    'on a disk that fails (an LD_PRELOAD library, needs cc) stops and keeps what it confirmed',
    async () => {
      const library = path.join(directory, 'failing-disk.so');
      execFileSync('cc', [
        '-shared',
        '-fPIC',
        '-o',
        library,
        path.join(here, 'testing/failing-disk.c'),
        '-ldl',
      ]);
      await forSeeds(8, async (seed, prng, home) => {
        const FAIL_OP = prng.pick(['write', 'sync', 'write', 'open'] as const);
        const env = {
          LD_PRELOAD: library,
          FAIL_DIR: home,
          FAIL_OP,
          FAIL_HOW: prng.pick(['enospc', 'eio', 'short'] as const),
          FAIL_AT: String(prng.int(6, FAIL_OP === 'open' ? 12 : 100)),
          // Only once: the storage must not continue even if the disk works again.
          FAIL_TIMES: prng.pick(['1', '1000000']),
        };
        const ending = await writer(home, seed, 1, { env });
        expect({ env, failed: ending.failed }).toEqual({ env, failed: ['io', 'io'] });
        const { done } = ending;
        // Each write has its own sync, so none after that one was confirmed.
        if (FAIL_OP === 'sync') expect(done).toBeLessThan(Number(env.FAIL_AT));
        expectContent(await found(home), new RandomHistory(seed), [done, done + 1]);
      });
    },
  );
});

function have(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
