import { expect } from '@jest/globals';
import { runSeed } from '../simulator/run.js';
import { TIMING } from './dsl/calm-options.js';
import { realScenario, scenario } from './dsl/scenario.js';

scenario(
  {
    bug: 58,
    title: 'the log is not shortened beyond what is on the disk',
    wrong: 'The log is cut up to a point that no snapshot on disk reaches.',
    seen: 'databendlabs/openraft#753, #1706, #1808, #1828, #1892, eed681d5; camunda/camunda#3573; apache/ratis#1065',
    mutant: 'a snapshot is taken of what is not on disk yet',
  },
  (cluster) => {
    const { a } = cluster;
    cluster.elect(a);
    a.stallDisk();
    a.propose('x');
    cluster.settle();
    expect([a.committed, a.durableIndex]).toEqual([['x'], a.lastIndex - 1]);
    a.compactTo(a.lastIndex);
    a.writeIn(0.5);
    cluster.settle();
    expect(a.snapshotIndex).toBe(0);
    a.compactTo(a.lastIndex);
    cluster.settle();
    a.restart();
    expect([a.snapshotIndex, a.lastIndex]).toEqual([3, 3]);
  },
);

for (const losing of ['unsynced', 'nothing'] as const) {
  scenario(
    {
      bug: 58,
      title: `a crash while a snapshot is installed leaves no gap (losing ${losing})`,
      wrong: 'A crash while a snapshot is installed leaves a gap between the snapshot and the log.',
      seen: 'databendlabs/openraft#1706, #1808',
      ...(losing === 'nothing' && { mutant: 'a snapshot that was received leaves the old log on disk' }),
    },
    (cluster) => {
      const { a, b } = cluster;
      cluster.elect(a);
      cluster.isolate(a);
      for (const stale of ['s1', 's2']) a.propose(stale);
      cluster.elect(b);
      for (const text of ['k1', 'k2', 'k3', 'k4']) b.propose(text);
      cluster.settle();
      b.compactTo(b.lastIndex);
      cluster.settle();
      const snapshots = cluster.record('snapshot', { to: a });
      cluster.heal();
      cluster.until(() => snapshots.count > 0, 'a snapshot is sent');
      cluster.wait(1.2);
      expect(a.snapshotIndex).toBe(b.snapshotIndex);
      a.restart({ losing });
      expect(a.lastIndex).toBeGreaterThanOrEqual(a.snapshotIndex);
      cluster.until(() => a.snapshotIndex === b.snapshotIndex && a.lastIndex === b.lastIndex, 'a catches up');
    },
  );
}

scenario(
  {
    bug: 59,
    title: 'an old snapshot, late and twice, moves nothing back',
    wrong: 'An old snapshot that arrives late moves the state back.',
    seen: 'hashicorp/raft#248; camunda/camunda#14367; RATIS-2084',
    mutant: 'an old snapshot replaces newer state',
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    cluster.isolate(b);
    for (const text of ['1', '2', '3']) a.propose(text);
    cluster.settle();
    a.compactTo(a.lastIndex);
    const old = cluster.record('snapshot', { to: b });
    cluster.heal();
    cluster.until(() => b.snapshotIndex > 0, 'b takes the snapshot');
    for (const text of ['4', '5']) a.propose(text);
    cluster.wait(2 * TIMING.heartbeatIntervalMs);
    // b makes a newer one itself. Then the old one arrives again.
    b.compactTo(b.commitIndex);
    cluster.settle();
    const before = [b.snapshotIndex, b.commitIndex, b.lastIndex];
    old.replay();
    old.replay();
    cluster.settle();
    expect([b.snapshotIndex, b.commitIndex, b.lastIndex]).toEqual(before);
  },
);

scenario(
  {
    bug: 61,
    title: 'a snapshot brings the membership along, and a restart keeps it',
    wrong: 'A snapshot does not carry the membership, or a restart from it loses it.',
    seen: 'tikv/tikv#9579; canonical/raft snapshots',
    spares: 1,
    mutant: 'a snapshot loses the membership',
  },
  (cluster) => {
    const { a, c, d } = cluster;
    cluster.elect(a);
    cluster.isolate(c);
    a.addVoter(d);
    a.propose('x');
    cluster.settle();
    a.compactTo(a.lastIndex);
    cluster.heal();
    cluster.until(() => c.snapshotIndex > 0, 'c takes the snapshot');
    cluster.settle();
    expect([c.voters, c.configurationIndex]).toEqual([a.voters, a.configurationIndex]);
    c.restart();
    expect([c.voters, c.configurationIndex]).toEqual([a.voters, a.configurationIndex]);
  },
);

scenario(
  {
    bug: 65,
    title: 'a crash between commit and apply leaves neither a gap nor a repetition',
    wrong:
      'The state of the application and the index up to which it was applied are saved apart. After a crash entries are missing, or applied twice.',
    seen: 'etcd-io/etcd#13766, #13854',
    guardedIn: ['runtime/applier.ts', 'storage/write-plan.ts'],
  },
  (cluster) => {
    const { a, b, nodes } = cluster;
    cluster.elect(a);
    for (const text of ['1', '2', '3', '4']) a.propose(text);
    cluster.wait(2.6);
    a.compactTo(Math.max(1, a.commitIndex - 1));
    for (const node of nodes) node.restart();
    cluster.until(() => nodes.some((node) => node.isReady), 'a leader');
    cluster.wait(2 * TIMING.heartbeatIntervalMs);
    // I5 compares the state of each node with the ledger after every event.
    expect(cluster.committed).toEqual(['1', '2', '3', '4']);
    expect(b.committed).toEqual(['1', '2', '3', '4']);
  },
);

scenario(
  {
    bug: 67,
    title: 'messages that arrive three times have the effect of one',
    wrong: 'A request whose outcome is unknown is sent again by itself, and is applied twice.',
    seen: 'fluree/db#1839, #1716; rabbitmq/ra#145; databendlabs/openraft#2096; nodejs/undici#3492; nodejs/node#47130, #54293',
    guardedIn: ['core/progress.ts', 'core/accept.ts'],
  },
  (cluster) => {
    const { a, nodes } = cluster;
    cluster.repeat(3);
    cluster.elect(a);
    const asked = ['1', '2', '3'].map((text) => a.propose(text));
    cluster.wait(2 * TIMING.heartbeatIntervalMs);
    expect(asked.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
    for (const node of nodes) expect(node.committed).toEqual(['1', '2', '3']);
  },
);

scenario(
  {
    bug: 68,
    title: 'lost leadership says nothing about what was proposed: the successor may commit it',
    wrong: '"Leadership lost" is taken for "not applied", although a successor may commit the entry.',
    seen: 'hashicorp/raft, ErrLeadershipLost',
    mutant: 'lost leadership is reported as a rejection',
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    cluster.lose('appendResponse', { to: a });
    const asked = a.propose('x');
    cluster.settle();
    cluster.isolate(a);
    cluster.elect(b);
    cluster.heal();
    cluster.until(() => a.leader === b, 'a follows b');
    expect(asked.outcome).toBe('unknown');
    expect(cluster.committed).toEqual(['x']);
  },
);

realScenario(
  {
    bug: 71,
    title: 'pauses, crashes, partitions and changes of membership at once',
    wrong:
      'Under pauses, crashes, partitions and changes of membership together: lost updates, two leaders, endless loops, lost data.',
    seen: 'jepsen.io/analyses/redis-raft-1b3fbf6; canonical/raft#323, #450, #471, #478',
    guardedIn: ['core'],
  },
  async () => {
    const wanted = ({ options: { faults, workload } }: ReturnType<typeof runSeed>): boolean =>
      [
        faults.weights.crash,
        faults.weights.pause,
        faults.weights.partition,
        workload.weights.membership,
      ].every((weight) => weight > 0);
    let found = 0;
    for (let seed = 1; found < 2; seed++) {
      const result = runSeed({ seed, chaosSteps: 1000 });
      expect(result.violation).toBeNull();
      if (wanted(result)) found += 1;
    }
  },
);
