import { expect } from '@jest/globals';
import { TIMING } from './dsl/calm-options.js';
import { scenario } from './dsl/scenario.js';

scenario(
  {
    bug: 1,
    title: 'term and vote are one write, and survive a crash together',
    wrong:
      'Term and vote are written separately. After a crash between the two writes, a node votes twice in a term.',
    seen: 'hashicorp/raft#661, willemt/raft#47, wenweihu86/raft-java#57, camunda/camunda#19290',
    guardedIn: ['storage/write-plan.ts'],
    mutant: 'the vote is forgotten on restart',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    const votes = cluster.duel(a, c);
    votes.replay({ from: a, to: b });
    cluster.wait(1);
    b.restart({ losing: 'unsynced' });
    expect([b.term, b.votedFor]).toEqual([a.term, a.id]);
    votes.replay({ from: c, to: b });
    cluster.settle();
    expect([a.leads, c.leads]).toEqual([true, false]);
  },
);

scenario(
  {
    bug: 2,
    title: 'a vote is not answered before it is synced',
    wrong:
      'A vote is answered while it is only in the page cache. A power cut erases it, and the node votes again.',
    seen: 'robustmq/robustmq#2039, seaweedfs/raft#9, etcd-io/etcd#14370',
    guardedIn: ['storage/level-storage.ts', 'core/outbox.ts'],
    mutant: 'writes are reported before they are durable',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    const votes = cluster.duel(a, c);
    const answers = cluster.record('voteResponse', { from: b });
    b.stallDisk();
    votes.replay({ from: a, to: b });
    cluster.settle();
    expect(answers.count).toBe(0);
    b.writeIn(0.5);
    b.restart({ losing: 'unsynced' });
    votes.replay({ from: c, to: b });
    cluster.settle();
    expect(cluster.leaders).toHaveLength(1);
  },
);

scenario(
  {
    bug: 3,
    title: 'a candidate that steps down within its term keeps its vote',
    wrong:
      'A candidate that steps down within its term forgets that it voted for itself, and votes for another: two leaders in one term.',
    seen: 'microsoft/CCF#8094, xnnyygn/xraft#33',
    mutant: 'stepping down within a term clears the vote',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    const votes = cluster.duel(a, c);
    votes.replay({ from: a, to: b });
    cluster.until(() => a.leads && c.role === 'follower', 'c accepts a');
    cluster.settle();
    expect([c.term, c.votedFor]).toEqual([a.term, c.id]);
    c.restart();
    // The vote request of the same term arrives now. c does not remember any leader.
    votes.replay({ from: a, to: c });
    cluster.settle();
    expect(c.votedFor).toBe(c.id);
  },
);

scenario(
  {
    bug: 4,
    title: 'a vote that is answered three times counts once',
    wrong: 'Several answers of one voter count as several votes.',
    seen: 'jgroups-extras/jgroups-raft#24',
    voters: 5,
    mutant: [
      {
        file: 'candidate.ts',
        find: 'campaign.granted.add(from);\n',
        replace:
          'campaign.granted.add(campaign.granted.has(from) ? (ctx.voters.flat().find((id) => !campaign.granted.has(id)) ?? from) : from);\n',
      },
    ],
  },
  (cluster) => {
    const { a, b, c, d, e } = cluster;
    cluster.lose('preVote', { from: [b, c, d, e] });
    cluster.lose('vote', { to: [c, d, e] });
    cluster.repeat(3, 'voteResponse');
    cluster.until(() => a.role === 'candidate', 'a stands');
    cluster.settle();
    expect(b.votedFor).toBe(a.id);
    expect(a.leads).toBe(false);
  },
);

scenario(
  {
    bug: 5,
    title: 'who voted says so again when asked again',
    wrong: 'A voter refuses to repeat its vote. When the first answer was lost, the candidate never gets it.',
    seen: 'vesoft-inc/nebula#2419',
    mutant: [
      {
        file: 'voting.ts',
        find: '(ctx.votedFor === null || ctx.votedFor === from) &&',
        replace: 'ctx.votedFor === null &&',
      },
    ],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.lose(['preVote', 'vote'], { from: [b, c] });
    const votes = cluster.record('vote', { from: a });
    const lost = cluster.lose('voteResponse', { to: a });
    cluster.until(() => lost.count === 2, 'both votes are given, and their answers lost');
    lost.end();
    const { term } = a;
    votes.replay();
    cluster.settle();
    expect([a.leads, a.term]).toEqual([true, term]);
  },
);

scenario(
  {
    bug: 6,
    title: 'term and role change in one step: a deposed leader appends nothing',
    wrong:
      'The term rises before the role changes, so a deposed leader appends entries in a term that is not its own.',
    seen: 'eBay/NuRaft#293',
    mutant: [
      {
        file: 'step-down.ts',
        find: '  ctx.leadership = null;\n',
        replace: '  if (!deposed) ctx.leadership = null;\n',
      },
    ],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    a.pause();
    cluster.isolate(a);
    cluster.elect(b);
    a.resume({ suspended: true });
    expect(a.leads).toBe(true);
    // a learns of the new term and serves a client at the same instant.
    a.hear(c, {
      type: 'appendResponse',
      term: b.term,
      requestId: 0,
      success: false,
      matchIndex: 0,
      conflictIndex: 0,
      conflictTerm: 0,
    });
    const asked = a.propose('too late');
    expect(asked.outcome).toBe('rejected: not-leader');
    expect(a.log).toEqual([]);
    expect(a.termAt(a.lastIndex)).toBeLessThan(a.term);
  },
);

scenario(
  {
    bug: 7,
    title: 'non-voters are no part of a majority',
    wrong: 'A majority is counted over the wrong set of nodes, non-voters among them.',
    seen: 'databendlabs/openraft#1802, d60f1e85, d882e743, a10d9906',
    voters: 3,
    spares: 2,
    mutant: 'non-voters count',
  },
  (cluster) => {
    const { a, b, c, d, e } = cluster;
    cluster.elect(a);
    for (const spare of [d, e]) {
      expect(a.addNonvoter(spare).answer).toBeUndefined();
      cluster.settle();
    }
    expect(a.voters).toEqual([a.id, b.id, c.id]);
    cluster.partition(b, c).from(a, d, e);
    const asked = a.propose('x');
    cluster.settle();
    expect(e.log).toEqual(['x']);
    expect([asked.outcome, a.committed]).toEqual(['open', []]);
  },
);

scenario(
  {
    bug: 8,
    title: 'the newer log wins over the longer one',
    wrong:
      'Logs are compared by length before the term of their last entries, so a leader without committed entries is elected.',
    seen: 'databendlabs/openraft a48a3282, 8cd24ba0',
    mutant: 'a longer log wins over a newer one',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    cluster.isolate(a);
    for (const stale of ['s1', 's2', 's3', 's4', 's5']) a.propose(stale);
    cluster.elect(b).propose('kept');
    cluster.settle();
    b.crash();
    cluster.heal();
    expect(a.lastIndex).toBeGreaterThan(c.lastIndex);
    cluster.until(() => c.isReady, 'c leads');
    cluster.wait(2 * TIMING.heartbeatIntervalMs);
    expect(a.committed).toEqual(['kept']);
  },
);
