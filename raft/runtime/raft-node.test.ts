import { describe, expect, it } from '@jest/globals';
import { clusterTimingOf, isSameTiming } from '../core/timing.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { eventually } from '../testing/eventually.js';
import { bytes, clustersOfEachTest } from './testing/memory-cluster.js';
import { commit, RuntimeHarness } from './testing/runtime-harness.js';

const createCluster = clustersOfEachTest();

describe('a lone voter', () => {
  it('elects itself, commits and gives the results of the state machine', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a');
    expect(await leader.raft.propose(bytes('one'))).toMatchObject({ outcome: 'done', result: 1 });
    expect(await leader.raft.propose(bytes('two'))).toMatchObject({ outcome: 'done', result: 2 });
    expect(await leader.raft.readBarrier()).toMatchObject({ outcome: 'done' });
    expect(cluster.node('a').fatal).toEqual([]);
  });

  it('finds everything again after a restart', async () => {
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

  it('tells the core at start what it applied while opening', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a');
    await leader.raft.propose(bytes('one'));
    await leader.raft.propose(bytes('two'));
    await leader.raft.stop();
    const again = await cluster.start('a');
    // The commit index on disk is that of the second last write.
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
      await eventually(() => node.has('three'), `${node.id} to apply`);
      expect(node.machine.commands).toEqual(['one', 'two', 'three']);
      expect(node.fatal).toEqual([]);
    }
  });

  it('answer with rejected if they are not leader, not yet started or stopped: the request never took effect', async () => {
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
    await eventually(() => leader.has('kept'), 'the old leader to follow');
    expect(leader.has('lost')).toBe(false);
  });

  it('settle pending requests as unknown when a node stops', async () => {
    const cluster = createCluster({ timing: { leaseTimeoutMs: 60_000 } });
    const leader = await cluster.found('a', 'b', 'c');
    for (const other of cluster.others(leader)) cluster.network.cut.add(other.id);
    const pending = [leader.raft.propose(bytes('x')), leader.raft.readBarrier()];
    await leader.raft.stop();
    for (const outcome of await Promise.all(pending)) {
      expect(outcome).toEqual({ outcome: 'unknown', reason: 'this node stopped' });
    }
  });

  it('stop once, even if told several times', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a');
    const [first, second] = [leader.raft.stop(), leader.raft.stop()];
    expect(second).toBe(first);
    await first;
  });

  it('report themselves to their leader with every answer, and it passes that on', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    const [peer] = cluster.others(leader);
    const seen: number[] = [];
    leader.raft.on('answered', (id) => {
      const { eligibility } = leader.raft.status().peers.find((one) => one.id === id)!;
      if (id === peer!.id) seen.push(eligibility);
    });
    peer!.raft.setEligibility(4711);
    // From then on it is known.
    await eventually(() => seen.at(-1) === 4711, 'the leader to be told');
    expect(seen.indexOf(4711)).toBe(seen.length - 1);
  });

  it('transfer leadership', async () => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    const [target] = cluster.others(leader);
    expect(await leader.raft.transferLeadership(target?.id)).toMatchObject({ outcome: 'done' });
    await eventually(() => target?.raft.isReadyLeader, 'the new leader');
  });

  it.each([
    ['done', 'reached the others', false],
    ['superseded', 'reached nobody', true],
  ])('say of a change that its leader left open: %s, when it %s', async (expected, _, isLost) => {
    const cluster = createCluster();
    const leader = await cluster.found('a', 'b', 'c');
    const { index, term } = { ...leader.raft.status(), ...leader.raft.status().configuration };
    cluster.network.lost = (_to, message) => {
      const isChange = (entry: { index: number; kind: string }): boolean =>
        entry.index === index + 1 && entry.kind === 'config';
      if (message.type !== 'append' || !message.entries.some(isChange)) return false;
      setImmediate(() => cluster.network.cut.add(leader.id));
      return isLost;
    };
    const newcomer = { id: 'd', address: 'd:1', incarnation: 'disk of d' };
    const change = leader.raft.changeMembership({ type: 'addNonvoter', ...newcomer }, index);
    const others = cluster.others(leader);
    const next = await cluster.leader(others);
    cluster.network.lost = () => false;
    await commit(others, 'another');
    // The same at the new leader: all have the same log.
    const at = { index: index + 1, term };
    const signal = AbortSignal.timeout(5000);
    const told = [await next.raft.outcomeOf(at, signal)];
    cluster.network.cut.clear();
    told.push(await change, await leader.raft.outcomeOf(at, signal));
    const verdicts = told.map((each) => (each.outcome === 'done' ? each.outcome : each.reason));
    expect(verdicts).toEqual([expected, expected, expected]);
  });

  it('prepare a transfer while they go on leading, and say what prevents it', async () => {
    const cluster = createCluster({ timing: { transferTimeoutMs: 200 } });
    const leader = await cluster.found('a', 'b', 'c');
    const [target, other] = cluster.others(leader);
    expect(await leader.raft.prepareTransfer(target?.id ?? '')).toMatchObject({ outcome: 'done' });
    cluster.network.lost = (to, message) =>
      to === target?.id && message.type === 'append' && message.entries.length > 0;
    const prepared = async (): Promise<unknown> => {
      await leader.raft.propose(bytes('large'));
      return leader.raft.prepareTransfer(target?.id ?? '');
    };
    expect(await prepared()).toMatchObject({
      outcome: 'rejected',
      reason: 'transfer-timeout',
      detail: expect.stringMatching(/^\w did not catch up in time \(link: .+\)$/),
    });
    expect(await leader.raft.propose(bytes('served'))).toMatchObject({ outcome: 'done' });
    expect(await leader.raft.prepareTransfer(other?.id ?? '')).toMatchObject({ outcome: 'done' });
    expect(leader.raft.isReadyLeader).toBe(true);
  });

  it('stop waiting for the preparation of a transfer when told so', async () => {
    const cluster = createCluster({ timing: { transferTimeoutMs: 60_000 } });
    const leader = await cluster.found('a', 'b', 'c');
    const [target] = cluster.others(leader);
    cluster.network.lost = (to, message) => to === target?.id && message.type === 'append';
    await leader.raft.propose(bytes('one'));
    const controller = new AbortController();
    const prepared = leader.raft.prepareTransfer(target?.id ?? '', controller.signal);
    controller.abort(new Error('the decision was withdrawn'));
    await expect(prepared).rejects.toThrow('the decision was withdrawn');
    await expect(leader.raft.prepareTransfer('b', controller.signal)).rejects.toThrow('withdrawn');
  });

  it('replace one node by another, leader or not, and keep working', async () => {
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

  it('use the timing of their log, whatever each was started with, and change it together', async () => {
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
      'all to use the new timing',
    );
    const follower = cluster.others(leader)[0] as RuntimeHarness;
    await follower.raft.stop();
    const again = await cluster.start(follower.id);
    expect(again.raft.timing).toMatchObject({ ...slower });
    expect(await leader.raft.propose(bytes('two'))).toMatchObject({ outcome: 'done' });
  });

  it('report a transfer that succeeded as done, even if the answer of its target is lost', async () => {
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
      reason: 'leadership transfer timeout: this node is still the leader',
    });
    expect(await leader.raft.propose(bytes('two'))).toMatchObject({ outcome: 'done' });
  });

  it('take over at once when the leader is proven dead, and only then', async () => {
    const cluster = createCluster({ timing: { electionTimeoutMs: 600_000, leaseTimeoutMs: 500_000 } });
    const leader = await cluster.found('a', 'b', 'c');
    await leader.raft.propose(bytes('one'));
    const survivors = cluster.others(leader);
    await eventually(() => survivors.every((node) => node.has('one')), 'both to follow');

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

  it('take over when another process speaks for the leader; the use of proof can be switched off', async () => {
    const patient = { electionTimeoutMs: 600_000, leaseTimeoutMs: 500_000 };
    for (const crashEvidence of [false, true]) {
      const cluster = createCluster({ timing: patient, crashEvidence });
      const leader = await cluster.found('a', 'b', 'c');
      await leader.raft.propose(bytes('one'));
      const survivors = cluster.others(leader);
      await eventually(() => survivors.every((node) => node.has('one')), 'both to follow');
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
  it('gets entries that no node has in memory any longer', async () => {
    const cluster = createCluster({ limits: { cacheBytesMax: 2000, appendBytesMax: 5000 } });
    const leader = await cluster.found('a', 'b', 'c');
    const away = cluster.others(leader)[0] as RuntimeHarness;
    cluster.network.cut.add(away.id);
    const texts = Array.from({ length: 60 }, (_, i) => `${i} ${'x'.repeat(500)}`);
    for (const text of texts) await leader.raft.propose(bytes(text));
    const reads = spyOnReads(cluster.storage(leader.id));
    cluster.network.cut.clear();
    await commit(cluster.nodes, 'last');
    await eventually(() => away.has('last'), 'the follower to catch up');
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
      // The entry that exceeds the bound is in the log before it causes the compaction.
      expect(logBytes).toBeLessThanOrEqual(retention.bytesMax + 2 * 710);
      expect(lastIndex - snapshotIndex).toBeLessThanOrEqual(retention.entriesMax + 2);
    }
    await eventually(() => (cluster.disks.get(leader.id)?.entries.length ?? 0) <= 31, 'the disk to shrink');
    cluster.network.cut.clear();
    await commit(cluster.nodes, 'last');
    await eventually(() => away.has('last'), 'the follower to catch up');
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
      await eventually(() => node.has('after c'), `${node.id} to catch up`);
      expect(node.machine.commands).toEqual([...texts, 'after a', 'after b', 'after c']);
      expect(node.fatal).toEqual([]);
    }
  });
});

function spyOnReads(storage: MemoryStorage): [from: number, to: number][] {
  const reads: [number, number][] = [];
  const read = storage.readEntries.bind(storage);
  storage.readEntries = (from, to, maxBytes) => {
    reads.push([from, to]);
    return read(from, to, maxBytes);
  };
  return reads;
}
