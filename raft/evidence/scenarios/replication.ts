import { expect } from '@jest/globals';
import { TIMING } from './dsl/calm-options.js';
import { scenario } from './dsl/scenario.js';

const COMMIT_ONLY_ON_ANSWERS = [
  {
    file: 'raft-core.ts',
    find: 'advanceCommit(ctx, ctx.leadership);\n      if (ctx.leadership) advanceTransfer',
    replace: 'if (ctx.leadership) advanceTransfer',
  },
] as const;

scenario(
  {
    bug: 19,
    title: 'an entry of an earlier term is not committed by counting (figure 8 of the paper)',
    wrong:
      'An entry of an earlier term is committed by counting its copies. Another leader replaces it afterwards.',
    seen: 'canonical/raft#220, #336; async-raft/async-raft#106; microsoft/CCF#4485',
    // One entry in each append.
    limits: { appendBytesMax: 0 },
    mutant: 'entries of an old term are committed by counting',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    cluster.isolate(a);
    a.propose('x');
    cluster.settle();
    a.crash();
    cluster.heal();
    // c leads the next term, and only its own disk has the empty entry of that term.
    const unshared = cluster.lose('append', { from: c });
    cluster.lose(['preVote', 'vote'], { from: b });
    cluster.until(() => c.leads, 'c leads');
    cluster.settle();
    c.crash();
    unshared.end();
    a.start();
    const ownTerm = cluster.lose('append', {
      from: a,
      where: ({ term, entries }) => entries.some((entry) => entry.term === term),
    });
    cluster.until(() => a.leads && b.log[0] === 'x', 'a leads again, and x is on two of three disks');
    cluster.settle();
    expect([a.committed, cluster.committed]).toEqual([[], []]);
    // This is necessary: c may still win and replace it.
    a.crash();
    ownTerm.end();
    c.start();
    cluster.until(() => c.isReady, 'c leads');
    cluster.settle();
    expect([b.log, cluster.committed]).toEqual([[], []]);
  },
);

scenario(
  {
    bug: 20,
    title: 'a follower commits no further than its log is known to be the leader’s',
    wrong:
      "A follower commits up to the end of its own log, though nobody checked that the end is the leader's.",
    seen: 'microsoft/CCF#8172; scylladb/scylladb#9965, #10578; atomix/copycat#266; etcd-io/etcd#1203',
    mutant: 'heartbeats carry the bare commit index',
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    cluster.isolate(a);
    for (const stale of ['s1', 's2', 's3', 's4']) a.propose(stale);
    cluster.elect(b);
    for (const text of ['k1', 'k2', 'k3', 'k4']) b.propose(text);
    cluster.settle();
    const appends = cluster.hold('append', { to: a });
    cluster.heal();
    cluster.until(() => a.leader === b, 'a hears b');
    cluster.wait(4 * TIMING.heartbeatIntervalMs);
    expect([a.log, a.committed]).toEqual([['s1', 's2', 's3', 's4'], []]);
    appends.release();
    cluster.wait(TIMING.requestTimeoutMs);
    expect(a.committed).toEqual(['k1', 'k2', 'k3', 'k4']);
  },
);

scenario(
  {
    bug: 21,
    title: 'a late, short append deletes nothing that came after it',
    wrong:
      'Each append cuts the log behind its last entry. A late one deletes entries that were acknowledged since.',
    seen: 'databendlabs/openraft 9540c904',
    mutant: 'every append truncates',
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    const early = cluster.record('append', { to: b });
    a.propose('1');
    cluster.settle();
    early.end();
    for (const text of ['2', '3', '4']) a.propose(text);
    cluster.settle();
    early.replay();
    early.replay();
    cluster.settle();
    expect(b.log).toEqual(['1', '2', '3', '4']);
  },
);

scenario(
  {
    bug: 22,
    title: 'a follower whose entry differs where the snapshot ends takes the snapshot and goes on',
    wrong:
      'A follower keeps an entry that conflicts with the end of a snapshot, and refuses appends forever.',
    seen: 'hashicorp/raft#697, #704',
    mutant: [
      {
        file: 'accept.ts',
        find: 'if (log.termAt(snapshot.index) === snapshot.term) {',
        replace: 'if (log.termAt(snapshot.index) !== undefined) {',
      },
    ],
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    cluster.isolate(a);
    for (const stale of ['s1', 's2', 's3', 's4']) a.propose(stale);
    cluster.elect(b);
    for (const text of ['k1', 'k2', 'k3', 'k4']) b.propose(text);
    cluster.settle();
    // After the snapshot, in it and at its end, a has other entries than b.
    b.compactTo(b.commitIndex - 2);
    cluster.heal();
    cluster.until(() => a.lastIndex === b.lastIndex && a.commitIndex === b.commitIndex, 'a catches up');
    expect([a.snapshotIndex, a.log]).toEqual([b.snapshotIndex, ['k3', 'k4']]);
  },
);

scenario(
  {
    bug: 23,
    title: 'a refusal moves neither match nor commit',
    wrong: 'A refused append counts as acknowledged.',
    seen: 'microsoft/CCF, arXiv 2406.17455',
    mutant: 'a refusal counts as an acknowledgement',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    cluster.isolate(a);
    a.propose('x');
    a.propose('y');
    cluster.settle();
    a.restart();
    c.crash();
    cluster.heal();
    const refusals = cluster.record('appendResponse', { from: b, where: ({ success }) => !success });
    cluster.lose('append', { from: a, where: ({ prevIndex }) => refusals.count > 0 && prevIndex > 0 });
    cluster.until(() => refusals.count > 0, 'b refuses');
    cluster.settle();
    expect([a.leads, a.committed]).toEqual([true, []]);
    expect(a.matchOf(b)).toBeLessThan(a.lastIndex);
  },
);

scenario(
  {
    bug: 24,
    title: 'acknowledgements to an earlier leadership of the same node count no more',
    wrong: 'Acknowledgements from an earlier term of the same leader count in the present one.',
    seen: 'databendlabs/openraft cecb5de8, fbbf37b1; etcd-io/raft#148, #149; tikv/raft-rs#555',
    voters: 5,
    limits: { inflightRequestsMax: 8 },
    mutant: 'answers of an earlier term count',
  },
  (cluster) => {
    const { a, b, c, d, e } = cluster;
    cluster.elect(a);
    const old = cluster.hold('appendResponse', { from: b, to: a, where: ({ matchIndex }) => matchIndex > 2 });
    cluster.partition(a, b).from(c, d, e);
    for (const text of ['o1', 'o2', 'o3', 'o4']) a.propose(text);
    cluster.settle();
    expect(b.log).toEqual(['o1', 'o2', 'o3', 'o4']);
    old.end();
    cluster.elect(c);
    cluster.heal();
    cluster.until(() => a.log.length === 0 && b.log.length === 0, 'a and b follow c');
    c.transferTo(a);
    cluster.until(() => a.isReady, 'a leads again');
    cluster.settle();
    cluster.lose('append', { from: a });
    for (const text of ['n1', 'n2', 'n3', 'n4']) a.propose(text);
    cluster.settle();
    const match = a.matchOf(b);
    old.replay();
    expect(a.matchOf(b)).toBe(match);
  },
);

scenario(
  {
    bug: 25,
    title: 'the end of a write says nothing of entries that replaced what it wrote',
    wrong:
      'The end of a write counts for the entry that stands at the same index now, though another one was written.',
    seen: 'etcd-io/raft testdata async_storage_writes_append_aba_race',
    voters: 5,
    mutant: 'a write that ends after a truncation counts for what it no longer holds',
  },
  (cluster) => {
    const { a, b, c, d, e } = cluster;
    cluster.elect(a);
    b.stallDisk();
    cluster.partition(a, b).from(c, d, e);
    a.propose('old');
    cluster.wait(5);
    expect(b.log).toEqual(['old']);
    cluster.isolate(a);
    cluster.elect(c);
    cluster.heal();
    cluster.isolate(a);
    c.propose('new');
    cluster.until(() => b.log[0] === 'new', 'b has the new entry in memory');
    const acknowledged = c.matchOf(b);
    b.finishWrite();
    cluster.settle();
    expect(b.durableIndex).toBeLessThan(b.lastIndex);
    expect(c.matchOf(b)).toBe(acknowledged);
    b.writeIn(0.5);
    cluster.wait(TIMING.requestTimeoutMs);
    expect(c.matchOf(b)).toBe(c.lastIndex);
  },
);

for (const writes of [0, 1, 2, 3]) {
  scenario(
    {
      bug: 26,
      title: `entries never reach the disk before their term does: a crash after ${writes} writes`,
      wrong:
        'Entries of a term reach the disk before the term does. After a crash the node is in a term before its own log.',
      seen: 'databendlabs/openraft#1960 (2af491fb)',
      guardedIn: ['core/outbox.ts', 'storage/write-plan.ts'],
      ...(writes === 3 && {
        mutant: [
          {
            file: 'raft-core.ts',
            find: 'ctx.outbox.nextWrite(ctx.hardState)',
            replace: 'ctx.outbox.nextWrite({ ...ctx.hardState, term: Math.max(1, ctx.term - 1) })',
          },
        ],
      }),
    },
    (cluster) => {
      const { a, b, c } = cluster;
      cluster.elect(a);
      cluster.isolate(a);
      b.stallDisk();
      // b votes, then accepts the no-op and two commands, as its disk allows.
      cluster.lose(['preVote', 'vote'], { from: b });
      cluster.until(() => c.role === 'candidate', 'c stands');
      cluster.settle();
      for (let written = 0; written < writes; written++) {
        b.finishWrite();
        cluster.settle();
        if (c.leads) c.propose(`after ${written}`);
        cluster.settle();
      }
      b.restart({ losing: 'unsynced' });
      expect(b.termAt(b.lastIndex)).toBeLessThanOrEqual(b.term);
      b.writeIn(0.5);
      cluster.until(() => c.isReady, 'c leads');
    },
  );
}

scenario(
  {
    bug: 27,
    title: 'answers that never come do not block a follower forever, without new proposals either',
    wrong: 'A request that is never answered occupies its place forever, and the follower gets nothing more.',
    seen: 'hashicorp/raft#612, camunda/camunda#7339',
    mutant: 'a lost request is never given up',
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    const lost = cluster.lose('append', { to: b });
    a.propose('1');
    a.propose('2');
    cluster.settle();
    expect(lost.count).toBeGreaterThan(0);
    lost.end();
    cluster.until(() => b.committed.length === 2, 'b has both', 4 * TIMING.requestTimeoutMs);
  },
);

for (const voters of [1, 3]) {
  scenario(
    {
      bug: 30,
      title: `a commit waits for no timer (${voters} ${voters === 1 ? 'node' : 'nodes'})`,
      wrong: 'A commit is noticed only when a timer fires: each takes a heartbeat interval.',
      seen: 'rjwalters/vibesql#6247',
      voters,
      ...(voters === 1 && { mutant: COMMIT_ONLY_ON_ANSWERS }),
    },
    (cluster) => {
      const { a } = cluster;
      cluster.elect(a);
      const asked = a.propose('x');
      const tookMs = cluster.until(() => asked.outcome === 'done', 'the commit', 100);
      expect(tookMs).toBeLessThan(TIMING.heartbeatIntervalMs / 5);
    },
  );
}

scenario(
  {
    bug: 31,
    title: 'the leader’s own disk is one vote, and counts also when it is the last',
    wrong: 'The leader does not look for a commit when its own write is the last of the majority to finish.',
    seen: 'redpanda-data/redpanda#31642',
    mutant: 'the leader counts its own memory instead of its disk',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    c.crash();
    a.stallDisk();
    const asked = a.propose('x');
    cluster.settle();
    expect([a.matchOf(b), asked.outcome]).toEqual([a.lastIndex, 'open']);
    a.finishWrite();
    expect(asked.outcome).toBe('done');
  },
);

scenario(
  {
    bug: 31,
    title: 'a majority of followers does not wait for the leader’s disk',
    wrong: "A commit waits for the leader's own disk, though a majority has the entry.",
    seen: 'redpanda-data/redpanda#31642',
    guardedIn: ['core/acknowledgements.ts'],
  },
  (cluster) => {
    const { a } = cluster;
    cluster.elect(a);
    a.stallDisk();
    const asked = a.propose('x');
    cluster.settle();
    expect(asked.outcome).toBe('done');
  },
);

scenario(
  {
    bug: 32,
    title: 'a leader without a quorum refuses instead of collecting',
    wrong: 'A leader without a majority accepts proposals until its memory is full.',
    seen: 'etcd-io/raft, MaxUncommittedEntriesSize',
    mutant: 'proposals are accepted without limit',
  },
  (cluster) => {
    const { a } = cluster;
    cluster.elect(a);
    cluster.isolate(a);
    const outcomes = Array.from({ length: 30 }, (_, i) => a.propose(`${i}`).outcome);
    expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(20);
    expect(outcomes.at(-1)).toBe('rejected: too-many-uncommitted');
  },
);
