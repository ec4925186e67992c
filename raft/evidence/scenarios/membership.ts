import { expect } from '@jest/globals';
import { TIMING } from './dsl/calm-options.js';
import { scenario } from './dsl/scenario.js';

scenario(
  {
    bug: 33,
    title: 'no change of membership before a commit in its own term',
    wrong:
      'A new leader changes the membership before it has a commit in its term. Two changes in two terms then have majorities without a common node.',
    seen: 'raft-dev thread t4xj6dJTP6E; atomix/copycat#23, baidu/braft#182, AxonIQ/axon-server-se#120; databendlabs/openraft#2051',
    spares: 1,
    mutant: 'the membership changes before a commit in the term',
  },
  (cluster) => {
    const { a, b, c, d } = cluster;
    cluster.elect(b);
    cluster.wait(2 * TIMING.heartbeatIntervalMs);
    b.crash();
    cluster.lose(['preVote', 'vote'], { from: c });
    cluster.lose('append', { from: a });
    cluster.until(() => a.leads, 'a leads');
    expect(a.commitIndex).toBeGreaterThan(a.configurationIndex);
    expect(a.addVoter(d).outcome).toBe('rejected: no-commit-in-term');
    expect(a.voters).not.toContain(d.id);
  },
);

scenario(
  {
    bug: 33,
    title: 'one change of membership at a time',
    wrong: 'A second change of membership begins before the first is committed.',
    seen: 'raft-dev thread t4xj6dJTP6E',
    spares: 2,
    mutant: 'two changes of membership at a time',
  },
  (cluster) => {
    const { a, d, e } = cluster;
    cluster.elect(a);
    cluster.lose('append', { from: a });
    expect(a.addVoter(d).outcome).toBe('open');
    expect(a.addVoter(e).outcome).toBe('rejected: change-in-progress');
  },
);

scenario(
  {
    bug: 35,
    title: 'a configuration that is cut from the log is cut from the memory as well',
    wrong: 'A configuration stays in force after its entry was cut from the log.',
    seen: 'canonical/raft#250, #354; RATIS-2274',
    spares: 1,
    mutant: 'a configuration is not rolled back with the log',
  },
  (cluster) => {
    const { a, b, d } = cluster;
    cluster.elect(a);
    const before = a.configurationIndex;
    cluster.isolate(a);
    a.addVoter(d);
    expect(a.voters).toContain(d.id);
    cluster.elect(b);
    cluster.heal();
    cluster.until(() => a.commitIndex === b.lastIndex, 'a has what b has');
    expect([a.configurationIndex, a.voters]).toEqual([before, b.voters]);
  },
);

scenario(
  {
    bug: 35,
    title: 'a restart remembers a configuration that is not committed',
    wrong: 'After a restart, a configuration that was appended but not committed is forgotten.',
    seen: 'camunda/camunda#57389, #58304',
    spares: 1,
    mutant: 'a restart forgets the configurations that are not committed',
  },
  (cluster) => {
    const { a, d } = cluster;
    cluster.elect(a);
    cluster.isolate(a);
    a.addVoter(d);
    cluster.settle();
    a.restart();
    expect(a.voters).toContain(d.id);
  },
);

for (const crashAfterMs of [undefined, 0, 0.6, 1.2, 2.6, 4]) {
  scenario(
    {
      bug: 36,
      title: `the leader of two removes itself${crashAfterMs === undefined ? '' : ` and dies after ${crashAfterMs} ms`}`,
      wrong:
        'Removing the leader of two nodes commits with the wrong majority, or leaves nobody who can lead.',
      seen: 'etcd-io/etcd#10563',
      voters: 2,
      ...(crashAfterMs === undefined && { mutant: 'a leader stays after its removal' }),
      ...(crashAfterMs === 0.6 && { mutant: 'a leader that removes itself cannot stand again' }),
    },
    (cluster) => {
      const { a, b } = cluster;
      cluster.elect(a);
      // When only the log of the leader has the removal.
      const unshared = crashAfterMs === 0.6 ? cluster.lose('append', { from: a }) : undefined;
      a.remove(a);
      if (crashAfterMs === undefined) {
        cluster.until(() => b.isReady, 'b leads alone');
        expect(a.leads).toBe(false);
      } else {
        cluster.wait(crashAfterMs);
        unshared?.end();
        a.restart();
      }
      cluster.until(
        () => cluster.leaders.some((node) => node.isReady),
        'a leader',
        20 * TIMING.electionTimeoutMs,
      );
      const [leader] = cluster.leaders;
      const asked = leader?.propose('x');
      cluster.until(() => asked?.outcome === 'done', 'a commit');
    },
  );
}

scenario(
  {
    bug: 38,
    title: 'a node that does not know of its promotion votes',
    wrong:
      'A voter that does not know of its promotion refuses to vote, and the others have no majority without it.',
    seen: 'etcd-io/raft testdata campaign_learner_must_vote',
    voters: 2,
    spares: 1,
    mutant: [
      {
        file: 'voting.ts',
        find: "ctx.role === 'follower' &&\n    ctx.leader === null &&",
        replace: "ctx.role === 'follower' &&\n    ctx.isVoter(ctx.id) &&\n    ctx.leader === null &&",
      },
    ],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a).addNonvoter(c);
    cluster.settle();
    expect(c.voters).toEqual([a.id, b.id]);
    const unaware = cluster.lose('append', { to: c });
    const asked = a.addVoter(c);
    cluster.settle();
    expect(asked.outcome).toBe('done');
    a.crash();
    unaware.end();
    expect(c.voters).toEqual([a.id, b.id]);
    cluster.until(() => b.isReady, 'b leads with the vote of c', 4 * TIMING.electionTimeoutMs);
  },
);

scenario(
  {
    bug: 39,
    title: 'a node that leaves is served until its removal is committed, and learns of it',
    wrong: 'A node that leaves is no longer served before its removal is committed: it never learns of it.',
    seen: 'microsoft/CCF, arXiv 2406.17455',
    mutant: [{ file: 'replication.ts', find: '  if (index > ctx.commit) return;\n', replace: '' }],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    // b is slow. The acknowledgement of c for its own removal does not count, but c must learn of it.
    b.writeIn(10);
    a.remove(c);
    cluster.until(
      () => !a.voters.includes(c.id) && a.commitIndex === a.lastIndex,
      'the removal is committed',
    );
    cluster.settle();
    expect(c.voters).toEqual([a.id, b.id]);
    expect(c.commitIndex).toBe(a.commitIndex);
  },
);

scenario(
  {
    bug: 40,
    title: 'what a lost disk had acknowledged does not count for the one in its place',
    wrong:
      'A node comes back with an empty disk under its old name, and what the lost disk had acknowledged still counts.',
    seen: 'databendlabs/openraft#2002; cockroachdb/cockroach#756; nexi-lab/nexus#3939',
    guardedIn: ['transport/incarnation-policy.ts', 'core/replication.ts'],
    mutant: 'answers of another disk count',
  },
  (cluster) => {
    const { a, c } = cluster;
    cluster.elect(a);
    cluster.delay(c, a, TIMING.requestTimeoutMs / 2);
    for (const text of ['1', '2']) a.propose(text);
    cluster.settle();
    expect(c.log).toEqual(['1', '2']);
    const acknowledged = c.lastIndex;
    c.loseDisk();
    expect(a.remove(c).outcome).toBe('open');
    cluster.settle();
    expect(a.addVoter(c).outcome).toBe('open');
    cluster.settle();
    expect(a.voters).toContain(c.id);
    cluster.until(() => c.lastIndex > 0 || a.matchOf(c) > 0, 'a hears of c again');
    expect(a.matchOf(c)).toBeLessThan(acknowledged);
    cluster.until(() => c.log.length === 2, 'c has everything');
  },
);
