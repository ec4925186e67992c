import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Level } from 'level';
import { encodeConfiguration, type Member } from '../core/configuration.js';
import type { LoadedEntry } from '../core/entries.js';
import { eventually } from '../testing/eventually.js';
import { RuntimeHarness } from '../runtime/testing/runtime-harness.js';
import { MemoryNetwork } from '../runtime/testing/memory-network.js';
import { LevelStorage } from '../storage/level-storage.js';
import { ORIGIN, positionOf } from '../storage/manifest.js';
import { RandomHistory } from '../storage/testing/random-history.js';
import { entriesAfter, entryAfter, persist } from '../storage/testing/test-log.js';
import { inspectDirectory } from './inspect.js';
import { planRecovery, recoverDirectory } from './recover.js';

const OLD_CLUSTER = 'c1'.repeat(16);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'baton-recovery-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** One of three members, with two commands after the configuration. */
async function survivor(reverted?: true): Promise<void> {
  const storage = new LevelStorage({ directory });
  const { identity } = await storage.open('n1');
  await storage.setClusterId(OLD_CLUSTER);
  const members = ['n1', 'n2', 'n3'].map((id): Member => ({
    id,
    address: `${id}:1`,
    incarnation: id === 'n1' ? identity.incarnation : '00'.repeat(16),
    voter: true,
  }));
  const first = entryAfter(ORIGIN, 1, encodeConfiguration({ members }), 'config');
  const entries: LoadedEntry[] = [first, ...entriesAfter(positionOf(first), 4, ['one', 'two'])];
  await storage.write(
    persist({ entries, hardState: { term: 5, votedFor: 'n2', commit: 2, ...(reverted && { reverted }) } }),
  );
  await storage.close();
}

/** All bytes of all files. */
async function contents(): Promise<Record<string, string>> {
  const files = await readdir(directory);
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [file, await readFile(path.join(directory, file), 'hex')] as const),
    ),
  );
}

describe('inspectDirectory', () => {
  it('shows what is there, and changes no byte', async () => {
    await survivor();
    const before = await contents();
    const seen: string[] = [];
    const inspection = await inspectDirectory(directory, {
      snapshot: () => seen.push('snapshot'),
      entry: ({ kind, data }) => seen.push(kind === 'command' ? Buffer.from(data).toString() : kind),
    });
    expect(inspection).toMatchObject({
      ok: true,
      identity: { nodeId: 'n1', clusterId: OLD_CLUSTER },
      hardState: { term: 5, votedFor: 'n2', commit: 2 },
      last: { index: 3, term: 4 },
      log: { firstIndex: 1, lastIndex: 3, entries: 3 },
      snapshot: null,
      configurations: [{ index: 1, configuration: { members: [{ id: 'n1' }, { id: 'n2' }, { id: 'n3' }] } }],
    });
    expect(seen).toEqual(['config', 'one', 'two']);
    expect(await contents()).toEqual(before);
  });

  it('agrees with what a node would find, with a snapshot too', async () => {
    const history = new RandomHistory(3);
    const storage = new LevelStorage({ directory });
    await storage.open('n1');
    for (let seq = 1; seq <= 40; seq++) await storage.write(history.order(seq));
    await storage.close();
    const { snapshot, entries } = history.content(40);
    const seen: LoadedEntry[] = [];
    const inspection = await inspectDirectory(directory, {
      snapshot: ({ index }) => expect(index).toBe(snapshot?.index),
      entry: (entry) => void seen.push(entry),
    });
    expect(inspection).toMatchObject({ ok: true, writeSeq: 40, snapshot: { index: snapshot?.index } });
    expect(seen.map(({ chainHash }) => chainHash)).toEqual(entries.map(({ chainHash }) => chainHash));
  });

  it('says which check failed, and shows the rest', async () => {
    await survivor();
    const database = new Level<Buffer, Buffer>(directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    });
    // The data of entry 2.
    await database.put(Buffer.from('040000000000000002', 'hex'), Buffer.from('changed'));
    await database.close();
    const { ok, checks, identity, log } = await inspectDirectory(directory);
    expect(ok).toBe(false);
    expect(checks.filter(({ error }) => error)).toMatchObject([
      { name: 'entries', error: { code: 'damaged-entry' } },
    ]);
    expect({ identity, log }).toMatchObject({ identity: { nodeId: 'n1' }, log: { lastIndex: 3 } });
  });

  it('does not call a directory sound when a check was not reached', async () => {
    await survivor();
    const [log] = (await readdir(directory)).filter((file) => file.endsWith('.log')) as [string];
    await writeFile(path.join(directory, log), '');
    const { ok, checks } = await inspectDirectory(directory);
    expect(ok).toBe(false);
    expect(checks.some(({ error }) => error)).toBe(true);
  });

  it.each(['an empty directory', 'no directory'])('refuses %s', async (what) => {
    const place = what === 'no directory' ? path.join(directory, 'none') : directory;
    await expect(inspectDirectory(place)).rejects.toMatchObject({ code: 'no-database' });
  });

  it("16: refuses a folder with other programs' logs", async () => {
    await writeFile(path.join(directory, 'daemon.log'), 'started');
    await expect(inspectDirectory(directory)).rejects.toMatchObject({ code: 'no-database' });
  });

  it('refuses a directory that a process uses, and does not touch it', async () => {
    await survivor();
    const level = createRequire(import.meta.url).resolve('level');
    const script = `
      const { Level } = require(${JSON.stringify(level)});
      new Level(${JSON.stringify(directory)}).open().then(() => console.log('open'));
      setInterval(() => undefined, 1000);`;
    const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(holder.stdout, 'data');
      const before = await contents();
      await expect(inspectDirectory(directory)).rejects.toMatchObject({ code: 'locked' });
      expect(await contents()).toEqual(before);
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
  });
});

describe('recovery', () => {
  it('is planned without a change', async () => {
    await survivor();
    const before = await contents();
    const plan = await planRecovery(directory, undefined);
    expect(plan).toMatchObject({
      before: { clusterId: OLD_CLUSTER },
      after: { nodeId: 'n1', epoch: 1 },
      lostMembers: [{ id: 'n2' }, { id: 'n3' }],
      member: { id: 'n1', address: 'n1:1', voter: true },
      commitKnown: 2,
    });
    expect(plan.after.clusterId).not.toBe(OLD_CLUSTER);
    expect(plan.after.incarnation).not.toBe(plan.before.incarnation);
    expect(await contents()).toEqual(before);
  });

  it('makes a cluster of one that keeps the log and goes on', async () => {
    await survivor();
    const plan = await planRecovery(directory, 'elsewhere:2');
    await recoverDirectory(plan);
    expect(await inspectDirectory(directory)).toMatchObject({
      ok: true,
      identity: plan.after,
      last: { index: 4, term: 6 },
      hardState: { term: 6, votedFor: null },
    });
    const node = new RuntimeHarness('n1', { storage: new LevelStorage({ directory }) });
    try {
      await node.start(new MemoryNetwork().transportOf('n1'));
      await eventually(() => node.raft.isReadyLeader, 'n1 to lead alone');
      await eventually(() => node.machine.commands.length === 2, 'n1 to apply its log');
      expect(node.machine.commands).toEqual(['one', 'two']);
      expect(node.raft.identity).toEqual(plan.after);
      expect(node.raft.status().configuration.configuration.members).toEqual([plan.member]);
      expect(plan.member.address).toBe('elsewhere:2');
      expect((await node.raft.propose(Buffer.from('three'))).outcome).toBe('done');
    } finally {
      await node.raft.stop();
    }
  });

  it('gives a disk that had lost something a new identity, because nobody is left whom it could harm', async () => {
    await survivor(true);
    expect((await inspectDirectory(directory)).hardState).toMatchObject({ reverted: true });
    await recoverDirectory(await planRecovery(directory, undefined));
    expect((await inspectDirectory(directory)).hardState).not.toHaveProperty('reverted');
  });

  it('can happen again, in the next epoch', async () => {
    await survivor();
    await recoverDirectory(await planRecovery(directory, undefined));
    const again = await planRecovery(directory, undefined);
    expect(again).toMatchObject({ after: { epoch: 2 }, lostMembers: [] });
    await recoverDirectory(again);
    expect(await inspectDirectory(directory)).toMatchObject({ ok: true, identity: { epoch: 2 } });
  });

  it('is one write: if it fails, the directory still belongs to the old cluster', async () => {
    await survivor();
    const plan = await planRecovery(directory, undefined);
    const batch = jest.spyOn(Level.prototype, 'batch');
    batch.mockImplementation(() => Promise.reject(new Error('injected')) as never);
    await expect(recoverDirectory(plan)).rejects.toMatchObject({ code: 'io' });
    expect(batch).toHaveBeenCalledTimes(1);
    batch.mockRestore();
    expect(await inspectDirectory(directory)).toMatchObject({
      ok: true,
      identity: plan.before,
      last: { index: 3 },
    });
  });

  it('refuses a directory that is not sound', async () => {
    await survivor();
    const [log] = (await readdir(directory)).filter((file) => file.endsWith('.log')) as [string];
    const bytes = await readFile(path.join(directory, log));
    await writeFile(path.join(directory, log), bytes.subarray(0, bytes.length - 3));
    await expect(planRecovery(directory, undefined)).rejects.toMatchObject({ code: 'lost-write' });
  });

  it('refuses a node that never belonged to a cluster', async () => {
    const storage = new LevelStorage({ directory });
    await storage.open('n1');
    await storage.close();
    await expect(planRecovery(directory, 'a:1')).rejects.toMatchObject({ code: 'not-recoverable' });
  });

  it('refuses when the node ran since the plan was made', async () => {
    await survivor();
    const plan = await planRecovery(directory, undefined);
    const storage = new LevelStorage({ directory });
    await storage.open('n1');
    await storage.write(persist({ hardState: { term: 9, votedFor: null, commit: 2 } }));
    await storage.close();
    await expect(recoverDirectory(plan)).rejects.toMatchObject({ code: 'locked' });
  });
});
