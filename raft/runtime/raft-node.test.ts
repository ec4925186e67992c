import { afterEach, describe, expect, it } from '@jest/globals';
import { heartbeat } from '../core/testing/test-node.js';
import { clusterTimingOf, isSameTiming } from '../core/timing.js';
import type { Persist, RequestMessage, ResponseMessage } from '../core/types.js';
import { StorageError } from '../storage/errors.js';
import { MemoryDisk, MemoryStorage } from '../storage/memory-storage.js';
import { entryAfter } from '../storage/testing/test-log.js';
import type { TransportHost } from '../transport/transport-host.js';
import { MemoryNetwork } from './testing/memory-network.js';
import { RecordingMachine } from './testing/recording-machine.js';
import { eventually } from '../testing/eventually.js';
import { commit, leaderOf, RuntimeHarness, type RuntimeHarnessOptions } from './testing/runtime-harness.js';

/** The core takes data away from the entries that it handed out; a disk keeps them. */
class SeparateStorage extends MemoryStorage {
  override write(persist: Persist): Promise<void> {
    return super.write({ ...persist, entries: persist.entries.map((entry) => ({ ...entry })) });
  }
}

/** Nodes of one test, by name; a node can be restarted on its disk. */
class Cluster {
  readonly network = new MemoryNetwork();
  readonly disks = new Map<string, MemoryDisk>();
  readonly storages = new Map<string, MemoryStorage>();
  private readonly byId = new Map<string, RuntimeHarness>();

  constructor(private readonly options: Omit<RuntimeHarnessOptions, 'storage'> = {}) {}

  get nodes(): RuntimeHarness[] {
    return [...this.byId.values()];
  }

  node(id: string): RuntimeHarness {
    return this.byId.get(id) as RuntimeHarness;
  }

  storage(id: string): MemoryStorage {
    return this.storages.get(id) as MemoryStorage;
  }

  /** Where the network brings messages for this node. */
  hostOf({ id }: RuntimeHarness): TransportHost {
    return this.network.hostOf(id);
  }

  others(than: RuntimeHarness): RuntimeHarness[] {
    return this.nodes.filter((node) => node !== than);
  }

  async start(id: string): Promise<RuntimeHarness> {
    const disk = this.disks.get(id) ?? new MemoryDisk();
    const storage = new SeparateStorage(disk);
    const node = new RuntimeHarness(id, { ...this.options, storage });
    this.disks.set(id, disk);
    this.storages.set(id, storage);
    this.byId.set(id, node);
    await node.start(this.network.transportOf(id));
    return node;
  }

  /** The first one leads at once, being alone; the others join it. */
  async found(...ids: string[]): Promise<RuntimeHarness> {
    const [first, ...others] = ids as [string, ...string[]];
    const leader = await this.start(first);
    expect(await leader.raft.bootstrap([leader.memberAt(`${first}:1`)])).toMatchObject({ outcome: 'done' });
    await this.leader();
    for (const id of others) {
      const { incarnation } = (await this.start(id)).raft.identity;
      const change = { type: 'addVoter' as const, id, address: `${id}:1`, incarnation };
      // Nobody has heard of the newcomer yet.
      expect(await leader.raft.changeMembership(change, undefined, { force: true })).toMatchObject({
        outcome: 'done',
      });
    }
    return this.leader();
  }

  leader(among = this.nodes): Promise<RuntimeHarness> {
    return eventually(() => leaderOf(among), 'a leader');
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.raft.stop()));
  }
}

const clusters: Cluster[] = [];
function createCluster(options?: Omit<RuntimeHarnessOptions, 'storage'>): Cluster {
  const cluster = new Cluster(options);
  clusters.push(cluster);
  return cluster;
}
afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
});

const bytes = (text: string): Buffer => Buffer.from(text);
const has = (node: RuntimeHarness, command: string): boolean => node.machine.commands.includes(command);

describe('a lone voter', () => {
  it('elects itself, commits and gives the results of the state machine', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a');
    expect(await leader.raft.propose(bytes('one'))).toMatchObject({ outcome: 'done', result: 1 });
    expect(await leader.raft.propose(bytes('two'))).toMatchObject({ outcome: 'done', result: 2 });
    expect(await leader.raft.readBarrier()).toMatchObject({ outcome: 'done' });
    expect(cluster.node('a').fatal).toEqual([]);
  });

  it('finds all of it after a restart', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a');
    for (const text of ['one', 'two', 'three']) await leader.raft.propose(bytes(text));
    await leader.raft.stop();
    const again = await cluster.start('a');
    await cluster.leader();
    expect(await again.raft.readBarrier()).toMatchObject({ outcome: 'done' });
    expect(again.machine.commands).toEqual(['one', 'two', 'three']);
    expect(again.raft.status().appliedIndex).toBe(again.raft.status().commitIndex);
  });

  it('tells the core at start what it applied while it opened', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a');
    await leader.raft.propose(bytes('one'));
    await leader.raft.propose(bytes('two'));
    await leader.raft.stop();
    const again = await cluster.start('a');
    // The commit index on disk is that of the last but one write.
    expect(again.machine.commands.length).toBeGreaterThan(0);
    expect(again.raft.status().appliedIndex).toBe(again.raft.status().commitIndex);
  });
});

describe('three nodes', () => {
  it('elect, commit, and apply the same on all', async () => {
    const cluster = createCluster();
    for (const id of ['a', 'b', 'c']) await cluster.start(id);
    const members = cluster.nodes.map((node) => node.memberAt(`${node.id}:1`));
    expect(await cluster.node('a').raft.bootstrap(members)).toMatchObject({ outcome: 'done' });
    const leader = await cluster.leader();
    const results = await Promise.all(
      ['one', 'two', 'three'].map((text) => leader.raft.propose(bytes(text))),
    );
    expect(results).toMatchObject([{ result: 1 }, { result: 2 }, { result: 3 }]);
    for (const node of cluster.nodes) {
      await eventually(() => has(node, 'three'), `${node.id} to apply`);
      expect(node.machine.commands).toEqual(['one', 'two', 'three']);
      expect(node.fatal).toEqual([]);
    }
  });

  it('answer who is no leader, does not run yet or no longer: it never took effect', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    const [follower] = cluster.others(leader);
    expect(await follower?.raft.propose(bytes('x'))).toMatchObject({
      outcome: 'rejected',
      reason: 'not-leader',
    });
    expect(await follower?.raft.readBarrier()).toMatchObject({ outcome: 'rejected', reason: 'not-leader' });

    const young = new RuntimeHarness('d', { storage: new MemoryStorage() });
    await young.raft.open();
    expect(await young.raft.propose(bytes('x'))).toEqual({ outcome: 'rejected', reason: 'stopped' });
    await young.raft.stop();

    await leader.raft.stop();
    expect(await leader.raft.propose(bytes('x'))).toEqual({ outcome: 'rejected', reason: 'stopped' });
    expect(await leader.raft.readBarrier()).toEqual({ outcome: 'rejected', reason: 'stopped' });
    expect(await leader.raft.changeMembership({ type: 'remove', id: 'b' })).toMatchObject({
      outcome: 'rejected',
    });
  });

  it('leave a proposal of a leader that lost its quorum unknown, and its read rejected', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    cluster.network.cut.add(leader.id);
    const [proposal, read] = [leader.raft.propose(bytes('lost')), leader.raft.readBarrier()];
    expect(await proposal).toMatchObject({
      outcome: 'unknown',
      reason: expect.stringContaining('leadership lost'),
    });
    expect(await read).toMatchObject({ outcome: 'rejected', reason: 'not-leader' });
    const next = await cluster.leader(cluster.others(leader));
    expect(await next.raft.propose(bytes('kept'))).toMatchObject({ outcome: 'done', result: 1 });
    cluster.network.cut.clear();
    await eventually(() => has(leader, 'kept'), 'the old leader to follow');
    expect(has(leader, 'lost')).toBe(false);
  });

  it('settle as unknown what is pending when a node stops', async () => {
    const cluster = createCluster({ timing: { leaseTimeoutMs: 60_000 } });
    const leader = await cluster.found('a', 'b', 'c');
    for (const other of cluster.others(leader)) cluster.network.cut.add(other.id);
    const pending = [leader.raft.propose(bytes('x')), leader.raft.readBarrier()];
    await leader.raft.stop();
    for (const outcome of await Promise.all(pending)) {
      expect(outcome).toEqual({ outcome: 'unknown', reason: 'this node stopped' });
    }
  });

  it('stop once, however often they are told', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a');
    const [first, second] = [leader.raft.stop(), leader.raft.stop()];
    expect(second).toBe(first);
    await first;
  });

  it('hand leadership over', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    const [target] = cluster.others(leader);
    expect(await leader.raft.transferLeadership(target?.id)).toMatchObject({ outcome: 'done' });
    await eventually(() => target?.raft.isReadyLeader, 'the new leader');
  });

  it('put one node in the place of another, leader or not, and stay whole', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    const { incarnation } = (await cluster.start('d')).raft.identity;
    const newcomer = { id: 'd', address: 'd:1', incarnation };
    expect(await leader.raft.changeMembership({ type: 'addNonvoter', ...newcomer })).toMatchObject({
      outcome: 'done',
    });
    expect(await leader.raft.replaceMember(leader.id, newcomer)).toMatchObject({ outcome: 'done' });
    const next = await cluster.leader(cluster.others(leader));
    const { configuration } = next.raft.status().configuration;
    expect(configuration.members.map(({ id, voter }) => [id, voter])).toEqual([
      ['b', true],
      ['c', true],
      ['d', true],
    ]);
    expect(configuration.joint).toBeUndefined();
    expect(await next.raft.propose(bytes('two'))).toMatchObject({ outcome: 'done', result: 2 });
  });

  it('go by the times of their log, whatever each was started with, and change them together', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    const founded = leader.raft.timing;
    expect(leader.raft.status().configuration.configuration.timing).toEqual(clusterTimingOf(founded));
    const slower = { ...clusterTimingOf(founded), electionTimeoutMs: 700, leaseTimeoutMs: 650 };
    expect(await leader.raft.setTiming({ ...slower, leaseTimeoutMs: 800 })).toMatchObject({
      reason: 'invalid-timing',
    });
    expect(await leader.raft.setTiming(slower)).toMatchObject({ outcome: 'done' });
    await eventually(
      () => cluster.nodes.every(({ raft }) => isSameTiming(raft.timing, slower)),
      'all to go by the new times',
    );
    const follower = cluster.others(leader)[0] as RuntimeHarness;
    await follower.raft.stop();
    const again = await cluster.start(follower.id);
    expect(again.raft.timing).toMatchObject({ ...slower });
    expect(await leader.raft.propose(bytes('two'))).toMatchObject({ outcome: 'done' });
  });

  it('report a hand-over that succeeded as done, also when the answer of its target is lost', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    const [target] = cluster.others(leader);
    cluster.network.lost = (to, message) => {
      if (message.type === 'timeoutNow') setImmediate(() => cluster.network.cut.add(leader.id));
      return false;
    };
    const outcome = leader.raft.transferLeadership(target?.id);
    await eventually(() => target?.raft.isReadyLeader, 'the new leader');
    await eventually(() => leader.raft.status().role === 'follower', 'the old one to lose its quorum');
    cluster.network.cut.clear();
    expect(await outcome).toMatchObject({ outcome: 'done', term: target?.raft.status().term });
  });

  it('say who leads when the order to take over was lost', async () => {
    const cluster = createCluster({ timing: { transferTimeoutMs: 100 } });
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    cluster.network.lost = (_, message) => message.type === 'timeoutNow';
    expect(await leader.raft.transferLeadership()).toEqual({
      outcome: 'unknown',
      reason: 'leadership transfer timeout: this node leads still',
    });
    expect(await leader.raft.propose(bytes('two'))).toMatchObject({ outcome: 'done' });
  });

  it('take over at once when the leader is proven dead, and only then', async () => {
    const cluster = createCluster({ timing: { electionTimeoutMs: 600_000, leaseTimeoutMs: 500_000 } });
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    const survivors = cluster.others(leader);
    await eventually(() => survivors.every((node) => has(node, 'one')), 'both to follow');

    await leader.raft.stop();
    for (const found of ['unknown', 'alive'] as const) {
      cluster.network.probes.set('a', found);
      await cluster.hostOf(survivors[0] as RuntimeHarness).onPeerDisconnected('a');
      expect(survivors.map((node) => node.raft.status().leader)).toEqual(['a', 'a']);
    }
    cluster.network.probes.set('a', 'gone');
    await Promise.all(survivors.map((node) => cluster.hostOf(node).onPeerDisconnected('a')));
    const next = await cluster.leader(survivors);
    expect(await next.raft.propose(bytes('two'))).toMatchObject({ outcome: 'done', result: 2 });
  });

  it('take over when another process speaks for the leader; proof can be switched off', async () => {
    const patient = { electionTimeoutMs: 600_000, leaseTimeoutMs: 500_000 };
    for (const crashEvidence of [false, true]) {
      const cluster = createCluster({ timing: patient, crashEvidence });
      const leader = await cluster.found('a', 'b', 'c');
      await leader.raft.propose(bytes('one'));
      const survivors = cluster.others(leader);
      await eventually(() => survivors.every((node) => has(node, 'one')), 'both to follow');
      await leader.raft.stop();
      cluster.network.probes.set('a', 'gone');
      for (const node of survivors) {
        for (const peer of ['b', 'c', 'a']) cluster.hostOf(node).onPeerRestarted(peer);
      }
      if (crashEvidence) {
        await cluster.leader(survivors);
        continue;
      }
      await Promise.all(survivors.map((node) => cluster.hostOf(node).onPeerDisconnected('a')));
      const patienceMs = survivors.map(
        ({ raft }) => (raft['core']?.nextDeadlineMs() ?? 0) - performance.now(),
      );
      expect(Math.min(...patienceMs)).toBeGreaterThan(100_000);
    }
  });
});

describe('a follower that was away', () => {
  it('gets entries that nobody has in memory any more', async () => {
    const cluster = createCluster({ limits: { cacheBytesMax: 2000, appendBytesMax: 5000 } });
    const leader = await cluster.found('a', 'b', 'c');
    const away = cluster.others(leader)[0] as RuntimeHarness;
    cluster.network.cut.add(away.id);
    const texts = Array.from({ length: 60 }, (_, i) => `${i} ${'x'.repeat(500)}`);
    for (const text of texts) await leader.raft.propose(bytes(text));
    const reads = spyOnReads(cluster.storage(leader.id));
    cluster.network.cut.clear();
    await commit(cluster.nodes, 'last');
    await eventually(() => has(away, 'last'), 'the follower to catch up');
    expect(away.machine.commands).toEqual([...texts, 'last']);
    expect(away.machine.restored).toBe(0);
    expect(reads.some(([from]) => from < 10)).toBe(true);
  });

  it('gets the snapshot when the log no longer reaches back, and the log stays within its bounds', async () => {
    const retention = { bytesMax: 20_000, entriesMax: 30 };
    const cluster = createCluster({ retention, limits: { cacheBytesMax: 2000 } });
    const leader = await cluster.found('a', 'b', 'c');
    const away = cluster.others(leader)[0] as RuntimeHarness;
    cluster.network.cut.add(away.id);
    const texts = Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(700)}`);
    for (const text of texts) {
      await leader.raft.propose(bytes(text));
      const { logBytes, lastIndex, snapshotIndex } = leader.raft.status();
      // The entry that exceeds the bound is in the log before the compaction that it causes.
      expect(logBytes).toBeLessThanOrEqual(retention.bytesMax + 2 * 710);
      expect(lastIndex - snapshotIndex).toBeLessThanOrEqual(retention.entriesMax + 2);
    }
    await eventually(() => (cluster.disks.get(leader.id)?.entries.length ?? 0) <= 31, 'the disk to shrink');
    cluster.network.cut.clear();
    await commit(cluster.nodes, 'last');
    await eventually(() => has(away, 'last'), 'the follower to catch up');
    expect(away.machine.commands).toEqual([...texts, 'last']);
    expect(away.machine.restored).toBeGreaterThan(50);
  });

  it('starts again from snapshot and log', async () => {
    const cluster = createCluster({ retention: { entriesMax: 10 } });
    const leader = await cluster.found('a', 'b', 'c');
    const texts = Array.from({ length: 40 }, (_, i) => `${i}`);
    for (const text of texts) await leader.raft.propose(bytes(text));
    for (const id of ['a', 'b', 'c']) {
      await eventually(() => cluster.disks.get(id)?.snapshot, `a snapshot of ${id}`);
      await cluster.node(id).raft.stop();
      await cluster.start(id);
      expect(cluster.node(id).machine.restored).toBeGreaterThan(0);
      await commit(cluster.nodes, `after ${id}`);
    }
    for (const node of cluster.nodes) {
      await eventually(() => has(node, 'after c'), `${node.id} to catch up`);
      expect(node.machine.commands).toEqual([...texts, 'after a', 'after b', 'after c']);
      expect(node.fatal).toEqual([]);
    }
  });
});

describe('a disk that fails', () => {
  it('ends the leader; what waits is unknown and nothing is acknowledged', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    const storage = cluster.storage(leader.id);
    for (const other of cluster.others(leader)) cluster.network.cut.add(other.id);
    await eventually(() => storage.pendingWrite === undefined, 'the disk to be idle');
    storage.manual = true;
    const pending = [leader.raft.propose(bytes('x')), leader.raft.readBarrier()];
    await eventually(() => storage.pendingWrite, 'the write');
    storage.failWrite('EIO');
    for (const outcome of await Promise.all(pending)) {
      expect(outcome).toEqual({ outcome: 'unknown', reason: 'this node stopped' });
    }
    expect(leader.fatal).toHaveLength(1);
    expect(leader.fatal[0]).toMatchObject({ code: 'io' });
    expect(await leader.raft.propose(bytes('y'))).toEqual({ outcome: 'rejected', reason: 'stopped' });
    expect(leader.machine.commands).toEqual([]);
    await leader.raft.stop();
  });

  it('ends a follower, which acknowledges nothing of it', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    const [failing, other] = cluster.others(leader) as [RuntimeHarness, RuntimeHarness];
    await leader.raft.propose(bytes('one'));
    await eventually(() => has(failing, 'one'), 'the follower');
    const storage = cluster.storage(failing.id);
    await eventually(() => storage.pendingWrite === undefined, 'the disk to be idle');
    storage.manual = true;
    const answers: (ResponseMessage | null)[] = [];
    const proposal = leader.raft.propose(bytes('two'));
    const pending = await eventually(() => storage.pendingWrite, 'the write');
    expect(pending.entries.map(({ data }) => Buffer.from(data).toString())).toContain('two');
    cluster.hostOf(failing).onRequest(leader.id, appendOf(failing, leader), (answer) => answers.push(answer));
    expect(answers).toEqual([]);
    storage.failWrite('EIO');
    await eventually(() => failing.fatal.length > 0, 'the end');
    expect(answers).toEqual([null]);
    // The others are a quorum.
    expect(await proposal).toMatchObject({ outcome: 'done' });
    await eventually(() => has(other, 'two'), 'the other follower');
    expect(has(failing, 'two')).toBe(false);
    cluster.hostOf(failing).onRequest(leader.id, appendOf(failing, leader), (answer) => answers.push(answer));
    expect(answers).toEqual([null, null]);
  });

  it('ends a leader that finds an entry damaged when a follower needs it', async () => {
    const cluster = createCluster({ limits: { cacheBytesMax: 1000 } });
    const leader = await cluster.found('a', 'b', 'c');
    const away = cluster.others(leader)[0] as RuntimeHarness;
    cluster.network.cut.add(away.id);
    for (let i = 0; i < 20; i++) await leader.raft.propose(Buffer.alloc(200, i));
    const entry = cluster.disks.get(leader.id)?.entries.find(({ kind }) => kind === 'command');
    if (entry) entry.data = Buffer.alloc(200, 99);
    cluster.network.cut.clear();
    await eventually(() => leader.fatal.length > 0, 'the end');
    expect(leader.fatal).toMatchObject([{ code: 'damaged-entry' }]);
  });

  it('ends a node that cannot remember its cluster', async () => {
    const storage = new MemoryStorage();
    storage.setClusterId = () => Promise.reject(new StorageError('io', 'EIO'));
    const node = new RuntimeHarness('a', { storage });
    await node.raft.open();
    await expect(node.raft.adoptCluster('ab'.repeat(16))).rejects.toMatchObject({ code: 'io' });
    expect(node.fatal).toHaveLength(1);
    await node.raft.stop();
  });
});

describe('a leader whose disk hangs', () => {
  it('commits by its followers, hands over, and ends when the write does not', async () => {
    const cluster = createCluster({
      writeLimitMs: 4000,
      timing: { electionTimeoutMs: 250, leaseTimeoutMs: 240 },
    });
    const leader = await cluster.found('a', 'b', 'c');
    cluster.storage(leader.id).write = () => new Promise(() => undefined);
    expect(await leader.raft.propose(bytes('one'))).toMatchObject({ outcome: 'done' });
    await eventually(() => cluster.others(leader).some(({ raft }) => raft.isReadyLeader), 'another leader');
    expect(leader.raft.status().role).not.toBe('leader');
    await eventually(() => leader.fatal.length > 0, 'the end');
    expect(leader.fatal).toMatchObject([{ code: 'hung', metadata: { limitMs: 4000 } }]);
    expect(cluster.others(leader).flatMap(({ fatal }) => fatal)).toEqual([]);
  });
});

describe('a node of a cluster', () => {
  it('refuses another cluster and lives on', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a');
    await expect(leader.raft.adoptCluster('ab'.repeat(16))).rejects.toMatchObject({ code: 'wrong-cluster' });
    expect(await leader.raft.bootstrap([])).toMatchObject({ outcome: 'rejected', reason: 'not-empty' });
    expect(leader.fatal).toEqual([]);
    expect(await leader.raft.propose(bytes('one'))).toMatchObject({ outcome: 'done' });
  });

  it('ends when its state machine fails: going on would fork the state', async () => {
    const machine = new RecordingMachine();
    machine.apply = () => {
      throw new Error('unknown command');
    };
    const cluster = createCluster({ machine });
    const leader = await cluster.found('a');
    expect(await leader.raft.propose(bytes('x'))).toEqual({
      outcome: 'unknown',
      reason: 'this node stopped',
    });
    expect(leader.fatal).toMatchObject([{ message: 'unknown command' }]);
  });

  it('ends when the core finds an invariant broken', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    const { term } = leader.raft.status();
    cluster.hostOf(leader).onRequest('b', heartbeat(term), () => undefined);
    expect(leader.fatal).toMatchObject([{ message: expect.stringContaining('invariant') }]);
  });

  it('keeps no request for ever: those of a term that is over are given back', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    const follower = cluster.others(leader)[0] as RuntimeHarness;
    await eventually(() => has(follower, 'one'), 'the follower');
    const storage = cluster.storage(follower.id);
    const open = follower.raft['pump']['exchanges'];
    await eventually(() => storage.pendingWrite === undefined && open.size === 0, 'quiet');
    storage.manual = true;
    const answers: (ResponseMessage | null)[] = [];
    const { term } = follower.raft.status();
    const entry = appendOf(follower, leader, 'held');
    cluster.hostOf(follower).onRequest(leader.id, entry, (answer) => answers.push(answer));
    await eventually(() => storage.pendingWrite, 'the write');
    expect(open.size).toBeGreaterThan(0);
    // A later term: the answer of the old one will never be given.
    const [other] = cluster.others(leader).filter((node) => node !== follower);
    const later: RequestMessage = heartbeat(term + 5);
    cluster.hostOf(follower).onRequest(other?.id ?? '', later, (answer) => answers.push(answer));
    expect(answers).toEqual([null]);
    storage.manual = false;
    storage.completeWrite();
    await eventually(() => answers.length === 2, 'the answer to the later term');
    expect(answers[1]).toMatchObject({ type: 'heartbeatResponse', requestId: 1, term: term + 5 });
    await eventually(() => open.size === 0, 'no request to be left');
  });

  it('answers two peers that count alike, each in its own words', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    const [one, two] = cluster.others(leader) as [RuntimeHarness, RuntimeHarness];
    const answers: (ResponseMessage | null)[] = [];
    for (const peer of [one, two, one]) {
      const question: RequestMessage = { type: 'preVote', term: 1, requestId: 7, lastIndex: 0, lastTerm: 0 };
      cluster.hostOf(leader).onRequest(peer.id, question, (answer) => answers.push(answer));
    }
    expect(answers).toMatchObject([{ requestId: 7 }, { requestId: 7 }, { requestId: 7 }]);
  });

  it('knows its peers before the first request comes in', async () => {
    const cluster = createCluster();
    await cluster.found('a', 'b', 'c');
    await cluster.node('b').raft.stop();
    cluster.network.peers.delete('b');
    const node = new RuntimeHarness('b', { storage: new MemoryStorage(cluster.disks.get('b')) });
    await node.raft.open();
    const transport = cluster.network.transportOf('b');
    const atStart: unknown[] = [];
    await node.raft.start({
      ...transport,
      start: async (host) => {
        atStart.push(cluster.network.peers.get('b')?.map(({ id }) => id));
        return transport.start(host);
      },
    });
    expect(atStart).toEqual([['a', 'c']]);
    await node.raft.stop();
  });
});

/** What a leader would send next: one entry after the follower's last. */
function appendOf(follower: RuntimeHarness, leader: RuntimeHarness, text?: string): RequestMessage {
  const { term, lastIndex } = follower.raft.status();
  const last = follower.raft['running'].entry(lastIndex);
  const position = { index: lastIndex, term: last?.term ?? 0, chainHash: last?.chainHash ?? 0 };
  expect(leader.raft.status().term).toBe(term);
  return {
    type: 'append',
    term,
    requestId: 1000,
    prevIndex: lastIndex,
    prevTerm: position.term,
    prevHash: position.chainHash,
    commit: 0,
    entries: text === undefined ? [] : [entryAfter(position, term, text)],
  };
}

function spyOnReads(storage: MemoryStorage): [from: number, to: number][] {
  const reads: [number, number][] = [];
  const read = storage.readEntries.bind(storage);
  storage.readEntries = (from, to, maxBytes) => {
    reads.push([from, to]);
    return read(from, to, maxBytes);
  };
  return reads;
}
