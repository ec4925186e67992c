import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { LevelStorage } from '../storage/level-storage.js';
import { HttpTransport } from '../transport/http-transport.js';
import { BreakingProxy } from './testing/breaking-proxy.js';
import { eventually } from '../testing/eventually.js';
import { commit, leaderOf, RuntimeHarness, type RuntimeHarnessOptions } from './testing/runtime-harness.js';

const IDS = ['a', 'b', 'c'];
type Options = Omit<RuntimeHarnessOptions, 'storage'>;

let directory: string;
let nodes: Map<string, RuntimeHarness>;
/** Where each node listens, once it does. */
let addresses: Map<string, { host: string; port: number }>;
/** Which node raised an alarm about whose disk, and on what proof. */
let reversions: Set<string>;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'raft-cluster-'));
  nodes = new Map();
  addresses = new Map();
  reversions = new Set();
});
afterEach(async () => {
  await Promise.all([...nodes.values()].map((node) => node.raft.stop()));
  await rm(directory, { recursive: true });
});

const all = (): RuntimeHarness[] => [...nodes.values()];
const nodeOf = (id: string): RuntimeHarness => nodes.get(id) as RuntimeHarness;

function transportOf(id: string): HttpTransport {
  return new HttpTransport({
    bind: addresses.get(id) ?? { host: '127.0.0.1', port: 0 },
    timeouts: () => ({ controlMs: 500, bulkMs: 2000, snapshotMs: 2000 }),
    bodyLimitBytes: 8_000_000,
    logger: pino({ level: 'silent' }),
  });
}

async function start(id: string, options: Options = {}): Promise<RuntimeHarness> {
  const storage = new LevelStorage({ directory: path.join(directory, id) });
  const node = new RuntimeHarness(id, { ...options, storage });
  nodes.set(id, node);
  node.raft.on('reverted', (event) => {
    reversions.add(`${id} of ${event.node === id ? 'itself' : event.node}: ${event.proof}`);
  });
  addresses.set(id, await node.start(transportOf(id)));
  return node;
}

async function found(options?: Options): Promise<RuntimeHarness> {
  for (const id of IDS) await start(id, options);
  const members = all().map((node) => {
    const { host, port } = addresses.get(node.id) as { host: string; port: number };
    return node.memberAt(`${host}:${port}`);
  });
  await nodeOf('a').raft.bootstrap(members);
  return eventually(() => leaderOf(all()), 'a leader');
}

/** Waits until each of `nodes` has applied exactly `commands`. */
async function agreeOn(commands: string[], among: RuntimeHarness[] = all()): Promise<void> {
  for (const node of among) {
    const last = commands.at(-1) ?? '';
    await eventually(() => node.machine.commands.includes(last), `${node.id} to apply ${last.slice(0, 20)}`);
    expect(node.machine.commands).toEqual(commands);
    expect(node.fatal).toEqual([]);
  }
}

describe('three nodes over HTTP and LevelDB', () => {
  it('elect a leader, commit on all disks, and survive the restart of each', async () => {
    await found();
    const commands: string[] = [];
    const add = async (command: string): Promise<void> => {
      await commit(all(), command);
      commands.push(command);
    };
    await add('first');
    for (const id of IDS) {
      await nodeOf(id).raft.stop();
      nodes.delete(id);
      await add(`without ${id}`);
      await start(id);
      await agreeOn(commands);
    }
    await Promise.all(all().map((node) => node.raft.stop()));
    for (const id of IDS) await start(id);
    await add('after a restart of all');
    await agreeOn(commands);
    const clusterIds = new Set(all().map((node) => node.raft.identity.clusterId));
    expect(clusterIds.size).toBe(1);
  });

  it('commit 2 MB, and many at a time', async () => {
    const leader = await found();
    const big = 'x'.repeat(2_000_000);
    expect(await leader.raft.propose(Buffer.from(big))).toMatchObject({ outcome: 'done', result: 1 });
    const many = Array.from({ length: 40 }, (_, i) => `${i} ${'y'.repeat(i % 3 === 0 ? 100_000 : 100)}`);
    const outcomes = await Promise.all(many.map((command) => leader.raft.propose(Buffer.from(command))));
    expect(outcomes).toMatchObject(many.map((_, i) => ({ outcome: 'done', result: i + 2 })));
    await agreeOn([big, ...many]);
  });

  it('bring back a node that was away for longer than the log reaches', async () => {
    const options: Options = {
      retention: { bytesMax: 300_000, entriesMax: 50 },
      limits: { cacheBytesMax: 50_000 },
    };
    await found(options);
    const commands = ['before'];
    await commit(all(), 'before');
    await agreeOn(commands);
    await nodeOf('c').raft.stop();
    nodes.delete('c');
    for (let i = 0; i < 40; i++) {
      const command = `${i} ${'z'.repeat(20_000)}`;
      await commit(all(), command);
      commands.push(command);
    }
    await start('c', options);
    await agreeOn(commands);
    expect(nodeOf('c').machine.restored).toBeGreaterThan(1);
    for (const node of all()) expect(node.raft.status().logBytes).toBeLessThanOrEqual(300_000);
  });

  it('transfer a snapshot in pieces although the line breaks again and again', async () => {
    const options: Options = {
      retention: { bytesMax: 2_000_000, entriesMax: 1000 },
      limits: { cacheBytesMax: 50_000, appendBytesMax: 100_000 },
    };
    for (const id of IDS) await start(id, options);
    // Each connection to c carries a good chunk, and never a whole snapshot.
    const proxy = await BreakingProxy.open(
      () => addresses.get('c') as { host: string; port: number },
      700_000,
    );
    try {
      const members = all().map((node) => {
        const { host, port } = addresses.get(node.id) as { host: string; port: number };
        return node.memberAt(node.id === 'c' ? proxy.address : `${host}:${port}`);
      });
      await nodeOf('a').raft.bootstrap(members);
      await commit(all(), 'before');
      await nodeOf('c').raft.stop();
      nodes.delete('c');
      const commands = ['before'];
      for (let i = 0; i < 60; i++) {
        commands.push(`${i} ${'s'.repeat(100_000)}`);
        await commit(all(), commands.at(-1) as string);
      }
      expect(leaderOf(all())?.raft.status().snapshotIndex).toBeGreaterThan(30);

      // Only a leader's snapshot can bring c back, and c must not lead.
      const storage = new LevelStorage({ directory: path.join(directory, 'c') });
      const received = jest.spyOn(storage, 'receiveSnapshot');
      const node = new RuntimeHarness('c', { ...options, storage });
      nodes.set('c', node);
      node.raft.setEligibility(0);
      await node.start(transportOf('c'));
      await agreeOn(commands);

      const chunks = received.mock.calls.filter(([, , data]) => data.length > 0);
      const sentBytes = chunks.reduce((sum, [, , data]) => sum + data.length, 0);
      const snapshotBytes = Math.max(...chunks.map(([{ byteLength }]) => byteLength));
      expect(snapshotBytes).toBeGreaterThan(3_000_000);
      expect(proxy.breaks).toBeGreaterThan(3);
      // It continued where it broke off, with a chunk or two sent twice.
      expect(sentBytes).toBeLessThan(1.5 * snapshotBytes);
    } finally {
      await proxy.close();
    }
  });

  it('elect another leader when theirs dies, and lose nothing', async () => {
    const leader = await found();
    await commit(all(), 'one');
    await leader.raft.stop();
    nodes.delete(leader.id);
    await commit(all(), 'two');
    await start(leader.id);
    await agreeOn(['one', 'two']);
  });

  it('continue when a copy of the leader’s directory is started elsewhere, and report it', async () => {
    const leader = await found();
    await commit(all(), 'one');
    await agreeOn(['one']);
    const { term } = leader.raft.status();
    const followers = all().filter((node) => node !== leader);
    const alarms = new Set<string>();
    for (const node of followers) {
      node.raft.on('identityUsedTwice', (peer) => void alarms.add(`${node.id} of ${peer}`));
    }
    await cp(path.join(directory, leader.id), path.join(directory, 'copy'), { recursive: true });
    const storage = new LevelStorage({ directory: path.join(directory, 'copy') });
    const copy = new RuntimeHarness(leader.id, { storage });
    try {
      await copy.start(transportOf('copy'));
      await eventually(() => alarms.size === followers.length, 'the alarms');
      expect([...alarms].sort()).toEqual(followers.map(({ id }) => `${id} of ${leader.id}`).sort());
      expect(copy.raft.status()).toMatchObject({ role: 'follower' });
      await commit(all(), 'two');
      await agreeOn(['one', 'two']);
      expect(leader.raft.status()).toMatchObject({ role: 'leader', term });
    } finally {
      await copy.raft.stop();
    }
  });

  it('notice a restored old directory, also after a restart of all', async () => {
    const leader = await found();
    await commit(all(), 'one');
    await agreeOn(['one']);
    const { id } = all().find((node) => node !== leader) as RuntimeHarness;
    const stop = async (name: string): Promise<void> => {
      await nodeOf(name).raft.stop();
      nodes.delete(name);
    };
    await stop(id);
    await cp(path.join(directory, id), path.join(directory, 'backup'), { recursive: true });
    await start(id);
    await commit(all(), 'two');
    await agreeOn(['one', 'two']);
    await stop(id);
    await rm(path.join(directory, id), { recursive: true });
    await cp(path.join(directory, 'backup'), path.join(directory, id), { recursive: true });
    await start(id);
    const others = (): RuntimeHarness[] => all().filter((node) => node.id !== id);
    const isFound = (): boolean =>
      leaderOf(others())
        ?.raft.status()
        .peers.find((peer) => peer.id === id)?.state === 'reverted';
    await eventually(isFound, 'the leader to notice');
    await eventually(() => reversions.has(`${id} of itself: shorter`), 'the node itself to notice');
    for (const name of IDS) await stop(name);
    for (const name of IDS) await start(name);
    await eventually(isFound, 'another leader to hear of it');
    expect(reversions).toContain(`${id} of itself: noted`);
    await commit(others(), 'three');
    await agreeOn(['one', 'two', 'three'], others());
    expect(nodeOf(id).machine.commands).not.toContain('two');
  });
});
