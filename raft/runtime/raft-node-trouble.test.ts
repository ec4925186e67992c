import { describe, expect, it } from '@jest/globals';
import type { RequestMessage, ResponseMessage } from '../core/messages.js';
import { heartbeat } from '../core/testing/core-harness.js';
import { StorageError } from '../storage/errors.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { entryAfter } from '../storage/testing/test-log.js';
import { eventually } from '../testing/eventually.js';
import { bytes, clustersOfEachTest } from './testing/memory-cluster.js';
import { RecordingMachine } from './testing/recording-machine.js';
import { RuntimeHarness } from './testing/runtime-harness.js';

const createCluster = clustersOfEachTest();

describe('a disk that fails', () => {
  it('ends the leader; waiting requests are unknown and nothing is acknowledged', async () => {
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

  it('ends a follower, which acknowledges nothing of that write', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    const [failing, other] = cluster.others(leader) as [RuntimeHarness, RuntimeHarness];
    await leader.raft.propose(bytes('one'));
    await eventually(() => failing.has('one'), 'the follower');
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
    await eventually(() => other.has('two'), 'the other follower');
    expect(failing.has('two')).toBe(false);
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

  it('keeps nothing of a cluster that it did not finish founding', async () => {
    const cluster = createCluster();
    const first = await cluster.start('a');
    const storage = cluster.storage('a');
    storage.manual = true;
    let outcome: unknown;
    void first.raft.bootstrap([first.memberAt('a:1')]).then((found) => (outcome = found));
    const pending = await eventually(() => storage.pendingWrite, 'the write');
    expect(pending.entries).toHaveLength(1);
    expect(first.raft.identity.clusterId).toBeNull();
    expect(outcome).toBeUndefined();
    storage.crash();
    await first.raft.stop();
    await eventually(() => outcome !== undefined, 'the outcome');
    expect(outcome).toMatchObject({ outcome: 'unknown' });
    expect(cluster.disks.get('a')).toMatchObject({ identity: { clusterId: null }, entries: [] });
    const again = await cluster.start('a');
    expect(await again.raft.bootstrap([again.memberAt('a:1')])).toMatchObject({ outcome: 'done' });
    expect(cluster.disks.get('a')?.entries).toHaveLength(1);
    expect(cluster.disks.get('a')?.identity?.clusterId).toBe(again.raft.identity.clusterId);
    await cluster.leader();
  });

  it('joins no other cluster while it founds one, and founds none while it joins', async () => {
    const cluster = createCluster();
    const [a, b] = [await cluster.start('a'), await cluster.start('b')];
    const founding = a.raft.bootstrap([a.memberAt('a:1')]);
    await expect(a.raft.adoptCluster('ab'.repeat(16))).rejects.toMatchObject({ code: 'wrong-cluster' });
    expect(await founding).toMatchObject({ outcome: 'done' });
    const joining = b.raft.adoptCluster('ab'.repeat(16));
    expect(await b.raft.bootstrap([b.memberAt('b:1')])).toMatchObject({ reason: 'not-empty' });
    await joining;
    expect([...a.fatal, ...b.fatal]).toEqual([]);
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
  it('commits through its followers, transfers leadership, and ends when the write does not', async () => {
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
  it('refuses another cluster and keeps running', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a');
    await expect(leader.raft.adoptCluster('ab'.repeat(16))).rejects.toMatchObject({ code: 'wrong-cluster' });
    expect(await leader.raft.bootstrap([])).toMatchObject({ outcome: 'rejected', reason: 'not-empty' });
    expect(leader.fatal).toEqual([]);
    expect(await leader.raft.propose(bytes('one'))).toMatchObject({ outcome: 'done' });
  });

  it('ends when its state machine fails: continuing would fork the state', async () => {
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

  it('keeps no request forever: those of a past term are returned', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    const follower = cluster.others(leader)[0] as RuntimeHarness;
    await eventually(() => follower.has('one'), 'the follower');
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
    // A later term: the old one will never answer.
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

  it('answers two peers that use the same request numbers, each its own request', async () => {
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

  it('knows its peers before the first request arrives', async () => {
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

/** What a leader would send next: the entry after the follower's last. */
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
