import { expect } from '@jest/globals';
import { TIMING } from './dsl/calm-options.js';
import { scenario } from './dsl/scenario.js';

const NOBODY_IS_LOYAL = {
  file: 'election-timer.ts',
  find: 'if (ctx.leader === null || ctx.leaderGone) return 0;',
  replace: 'return 0;',
};

const NO_PRE_VOTE = {
  file: 'candidate.ts',
  find: "startPreVote(ctx, ctx.campaign ? 'retry' : ctx.leaderGone ? 'leader-gone' : 'timeout');",
  replace: "startElection(ctx, 'timeout', 'no pre-vote');",
};

scenario(
  {
    bug: 9,
    title:
      'a later term with a shorter log, and a longer log with an earlier term, do not refuse each other forever',
    wrong:
      'A node with a later term and a shorter log, and nodes with an earlier term and longer logs, refuse each other forever.',
    seen: 'etcd-io/etcd#8243, #8501, #9586, #10355; tikv/raft-rs#42, #83, #84; databendlabs/openraft#1796; hashicorp/raft#606, #609',
    mutant: 'a later term in a refusal is not learned',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    // A transfer raises the term of c without a pre-vote. No other node hears of it.
    cluster.lose(['vote', 'timeoutNowResponse'], { from: c });
    a.transferTo(c);
    cluster.until(() => c.role === 'candidate', 'c stands');
    cluster.isolate(c);
    cluster.wait(TIMING.transferTimeoutMs);
    const asked = a.propose('longer');
    cluster.settle();
    expect([asked.outcome, c.term - b.term]).toEqual(['done', 1]);
    a.crash();
    cluster.heal();
    cluster.until(() => b.isReady, 'b leads', 4 * TIMING.electionTimeoutMs);
  },
);

scenario(
  {
    bug: 10,
    title: 'a late pre-vote answer does not make a leader stand again',
    wrong: 'A pre-vote answer from before a change of state starts an election, even on the leader itself.',
    seen: 'databendlabs/openraft#1839 (511f33c7)',
    mutant: [
      {
        file: 'candidate.ts',
        find: 'if (!campaign?.prevote || !campaign.asked.has(message.requestId)) return;\n  if (tally(ctx, from, message)) countPreVotes(ctx);',
        replace:
          "if (campaign !== undefined && message.granted) startElection(ctx, 'retry', 'a late answer');",
      },
    ],
  },
  (cluster) => {
    const { a, c } = cluster;
    const late = cluster.hold('preVoteResponse', { from: c, to: a });
    cluster.elect(a);
    const { term } = a;
    expect(late.count).toBeGreaterThan(0);
    late.release();
    cluster.settle();
    expect([a.leads, a.term]).toEqual([true, term]);
  },
);

scenario(
  {
    bug: 11,
    title: 'a candidate that was cut off with a later term finds back to the cluster',
    wrong: 'A candidate that raised its term alone is ignored by the healthy majority, and never rejoins.',
    seen: 'etcd-io/raft, "free stuck candidate" tests',
    mutant: [
      {
        file: 'raft-core.ts',
        find: 'return becomeFollower(ctx, message.term, null, `${from} knows a later term`);',
        replace: 'return;',
      },
    ],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    const silence = cluster.lose('vote', { from: c });
    a.transferTo(c);
    cluster.until(() => c.role === 'candidate', 'c stands');
    cluster.isolate(c);
    silence.end();
    cluster.wait(3 * TIMING.electionTimeoutMs);
    expect([a.leads, c.term]).toEqual([true, a.term + 1]);
    cluster.heal();
    cluster.until(
      () => cluster.leaders.length === 1 && [a, b, c].every((node) => node.leader === cluster.leaders[0]),
      'all follow one leader',
      3 * TIMING.electionTimeoutMs,
    );
  },
);

scenario(
  {
    bug: 12,
    title: 'a leader that hears nobody gives up, though it is heard',
    wrong:
      'A leader that reaches its followers, but hears nobody, keeps them from electing another. Nothing is committed.',
    seen: 'databendlabs/openraft#2080, #2083',
    mutant: 'a leader without a quorum stays',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    cluster.silence(b).towards(a);
    cluster.silence(c).towards(a);
    cluster.until(() => [b, c].some((node) => node.isReady), 'another leader', 4 * TIMING.electionTimeoutMs);
  },
);

scenario(
  {
    bug: 13,
    title: 'one broken edge of the triangle moves no leadership',
    wrong: 'While one link of a triangle is broken, leadership moves back and forth without end.',
    seen: 'decentralizedthoughts.github.io, 2020-12-12 (Cloudflare); hashicorp/raft, notes on divergence',
    mutant: [NOBODY_IS_LOYAL],
  },
  (cluster) => {
    const { a, c } = cluster;
    cluster.elect(a);
    const { term } = a;
    cluster.partition(a).from(c);
    cluster.wait(10 * TIMING.electionTimeoutMs);
    expect(cluster.eventsOf('electionStarted', c).length).toBeGreaterThan(0);
    expect([a.leads, a.term]).toEqual([true, term]);
  },
);

scenario(
  {
    bug: 14,
    title: 'two survivors that tie once draw anew and do not tie forever',
    wrong:
      'The random part of the election timeout is drawn once. Two survivors with equal draws tie forever.',
    seen: 'databendlabs/openraft#1838, fluree/db#1845',
    timing: { rankSlotMs: 0, jitterMs: 20 },
    mutant: [
      { file: 'election-timer.ts', find: 'ctx.random * ctx.timing.jitterMs', replace: '0' },
      { file: 'voting.ts', find: 'if (granted) makeWay(ctx, from);', replace: '' },
    ],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    a.crash();
    const votes = cluster.duel(b, c);
    const { term } = b;
    votes.release();
    // Long before the election of that term would be given up.
    cluster.until(() => b.isReady || c.isReady, 'one of them leads', TIMING.electionTimeoutMs / 2);
    expect(cluster.leaders[0]?.term).toBeGreaterThan(term);
  },
);

scenario(
  {
    bug: 15,
    title: 'who votes waits for the one it voted for',
    wrong: 'A node grants a vote, and then stands against the candidate that it voted for.',
    seen: 'hashicorp/raft#91, jgroups-extras/jgroups-raft#45',
    mutant: [
      {
        file: 'voting.ts',
        find: 'ctx.campaign = null;\n    restartElectionTimer(ctx);',
        replace: 'ctx.campaign = null;',
      },
    ],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.lose(['preVote', 'vote'], { from: [b, c] });
    const votes = cluster.hold('vote', { from: a });
    // b has timed out itself when the request comes, and its answer is slow.
    cluster.until(() => votes.count > 0, 'a asks for votes');
    expect(cluster.eventsOf('electionStarted', b).length).toBeGreaterThan(0);
    const answers = cluster.hold('voteResponse', { from: b });
    votes.replay({ from: a, to: b });
    const before = cluster.eventsOf('electionStarted', b).length;
    cluster.wait(TIMING.electionTimeoutMs - 30);
    expect(cluster.eventsOf('electionStarted', b)).toHaveLength(before);
    answers.release();
    cluster.settle();
    expect(a.leads).toBe(true);
  },
);

scenario(
  {
    bug: 16,
    title: 'disks slower than the election timeout delay an election, they do not prevent it',
    wrong: 'Votes take longer than the election timeout, so every answer comes a term too late.',
    seen: 'fluree/db#1373, camunda/camunda#12009',
    mutant: 'elections do not wait for slow disks',
  },
  (cluster) => {
    const { nodes } = cluster;
    for (const node of nodes) node.writeIn(1.5 * TIMING.electionTimeoutMs);
    cluster.until(() => nodes.some((node) => node.isReady), 'a leader', 40 * TIMING.electionTimeoutMs);
  },
);

scenario(
  {
    bug: 17,
    title: 'a removed node that does not know it disturbs nobody',
    wrong: 'A node that was removed, but does not know it, stands again and again and deposes leaders.',
    seen: 'hashicorp/raft#524, #526, #502',
    mutant: [NOBODY_IS_LOYAL, NO_PRE_VOTE],
  },
  (cluster) => {
    const { a, c } = cluster;
    cluster.elect(a);
    cluster.isolate(c);
    const asked = a.remove(c);
    cluster.settle();
    expect(asked.outcome).toBe('done');
    const { term } = a;
    cluster.wait(3 * TIMING.electionTimeoutMs);
    cluster.heal();
    cluster.wait(10 * TIMING.electionTimeoutMs);
    expect(c.voters).toContain(c.id);
    expect(cluster.eventsOf('electionStarted', c).length).toBeGreaterThan(3);
    expect([a.leads, a.term]).toEqual([true, term]);
  },
);

scenario(
  {
    bug: 18,
    title: 'a node that starts long before the others raises no term',
    wrong: 'The election timer runs before the node can win: it raises its term alone.',
    seen: 'microsoft/CCF#3075',
    stopped: true,
    mutant: [NO_PRE_VOTE],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    a.start();
    cluster.wait(5000);
    expect(a.term).toBe(1);
    b.start();
    c.start();
    cluster.until(() => cluster.leaders.length === 1, 'a leader', 2 * TIMING.electionTimeoutMs);
    expect(a.term).toBe(2);
  },
);
