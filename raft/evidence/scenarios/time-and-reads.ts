import { expect } from '@jest/globals';
import { TIMING } from './dsl/calm-options.js';
import { scenario } from './dsl/scenario.js';

scenario(
  {
    bug: 48,
    title: 'no read is answered before the first commit of the term',
    wrong: 'A new leader answers reads before it knows what is committed.',
    seen: 'etcd-io/etcd#7331; tikv/tikv#7971, #7995',
    mutant: 'reads before the first commit of the term',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    a.propose('x');
    // x is committed. b has it, but does not know that it is committed.
    cluster.lose('heartbeat', { from: a });
    cluster.settle();
    expect(cluster.committed).toEqual(['x']);
    a.crash();
    cluster.lose(['preVote', 'vote'], { from: c });
    const appends = cluster.hold('append', { from: b });
    cluster.until(() => b.leads, 'b leads');
    const read = b.read();
    cluster.wait(2 * TIMING.heartbeatIntervalMs);
    expect(read.outcome).toBe('open');
    appends.release();
    cluster.until(() => read.outcome === 'done', 'the read');
    expect(b.committed).toEqual(['x']);
  },
);

scenario(
  {
    bug: 49,
    title: 'answers to an earlier round confirm no read of a leader that slept meanwhile',
    wrong: 'Answers to an earlier round of heartbeats confirm a later read.',
    seen: 'etcd-io/etcd#20418, fixed in etcd-io/raft#397',
    mutant: 'reads are confirmed by an earlier round',
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    const earlier = cluster.hold('heartbeatResponse', { to: a });
    cluster.wait(2 * TIMING.heartbeatIntervalMs);
    expect(earlier.count).toBeGreaterThan(1);
    earlier.end();
    a.pause();
    cluster.isolate(a);
    cluster.elect(b).propose('y');
    cluster.settle();
    // Its clock stopped as well: a believes that no time has passed.
    a.resume({ suspended: true });
    expect(a.leads).toBe(true);
    const read = a.read();
    earlier.replay();
    expect(read.outcome).toBe('open');
  },
);

scenario(
  {
    bug: 50,
    title: 'a leader that is cut off answers no reads',
    wrong: 'A leader that is cut off answers reads, though another one leads.',
    seen: 'Jepsen etcd 2014; jepsen.io/analyses/redis-raft-1b3fbf6; RedisLabs/redisraft#19; etcd-io/etcd#741',
    mutant: 'reads without proof of leadership',
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    a.pause();
    cluster.isolate(a);
    cluster.elect(b).propose('y');
    cluster.settle();
    a.resume({ suspended: true });
    const read = a.read();
    cluster.settle();
    expect([a.leads, read.outcome]).toEqual([true, 'open']);
    cluster.wait(TIMING.electionTimeoutMs);
    expect(read.outcome).toBe('rejected: not-leader');
  },
);

scenario(
  {
    bug: 51,
    title: 'a leader that stood still for longer than its lease resigns before it serves anybody',
    wrong:
      'A leader trusts its lease after a pause or by a wrong clock, for longer than the others keep from voting.',
    seen: 'etcd-io/etcd#6005; tikv/tikv#964, #1127; sofastack/sofa-jraft#34; vesoft-inc/nebula#2723; yugabyte/yugabyte-db#16; etcd-io/raft#166',
    mutant: [
      {
        file: 'raft-core.ts',
        find: 'if (forMs >= ctx.timing.electionTimeoutMs) {\n        becomeFollower',
        replace: 'if (forMs >= Infinity) {\n        becomeFollower',
      },
    ],
  },
  (cluster) => {
    const { a } = cluster;
    cluster.elect(a);
    cluster.isolate(a);
    a.pause();
    cluster.wait(TIMING.leaseTimeoutMs + 10);
    const waiting = a.propose('x');
    a.resume();
    expect([a.leads, waiting.outcome]).toEqual([false, 'rejected: not-leader']);
  },
);

scenario(
  {
    bug: 52,
    title: 'the lease counts from the question, not from the answer',
    wrong: 'A lease counts from the arrival of the answer instead of the sending of the question.',
    seen: 'etcd-io/raft, by its ticks',
    mutant: [
      {
        file: 'leader.ts',
        find: 'Math.max(progress.ackedSentAtMs, sentAtMs)',
        replace: 'Math.max(progress.ackedSentAtMs, ctx.now)',
      },
      {
        file: 'leader.ts',
        find: 'Math.max(progress.promisedFromMs, sentAtMs)',
        replace: 'Math.max(progress.promisedFromMs, ctx.now)',
      },
    ],
  },
  (cluster) => {
    const { a } = cluster;
    cluster.elect(a);
    const slow = cluster.hold('heartbeatResponse', { to: a });
    cluster.until(() => slow.count >= 2, 'one round is answered');
    const sentMs = cluster.nowMs;
    slow.end();
    cluster.lose('heartbeatResponse', { to: a });
    cluster.wait(200);
    slow.replay();
    expect(a.leaseRemainingMs).toBeLessThanOrEqual(TIMING.leaseTimeoutMs - (cluster.nowMs - sentMs));
  },
);

scenario(
  {
    bug: 53,
    title: 'after a stall the heartbeats that wait come first: no election',
    wrong:
      'After a pause a follower acts on its timer first, and starts an election although heartbeats wait in its socket.',
    seen: 'bedrock-kv/bedrock#329',
    guardedIn: ['runtime/wake-up-timer.ts'],
    mutant: [
      {
        file: 'raft-core.ts',
        find: 'ctx.electionDeadlineMs = Math.max(ctx.electionDeadlineMs, readMs);',
        replace: '',
      },
    ],
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    const before = cluster.eventsOf('electionStarted').length;
    // Not even the kernel of b receives anything meanwhile. The next heartbeat comes after the stall.
    b.pause();
    cluster.isolate(b);
    cluster.wait(400);
    cluster.heal();
    b.resume();
    cluster.wait(2 * TIMING.electionTimeoutMs);
    expect(cluster.eventsOf('electionStarted')).toHaveLength(before);
  },
);

scenario(
  {
    bug: 54,
    title: 'a leader that stood still makes up for no ticks',
    wrong: 'After a pause all timer ticks that were missed run at once, and everything expires.',
    seen: 'databendlabs/openraft 5e15946d, etcd-io/etcd#13527',
    mutant: [
      {
        file: 'heartbeats.ts',
        find: 'leadership.heartbeatDueMs = ctx.now + ctx.timing.heartbeatIntervalMs;',
        replace: 'leadership.heartbeatDueMs += ctx.timing.heartbeatIntervalMs;',
      },
    ],
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    a.pause();
    cluster.wait(4.5 * TIMING.heartbeatIntervalMs);
    const heartbeats = cluster.record('heartbeat', { from: a, to: b });
    a.resume();
    cluster.wait(5);
    expect([a.leads, heartbeats.count]).toEqual([true, 1]);
  },
);

scenario(
  {
    bug: 56,
    title: 'a leader whose loop is dead sends no heartbeats, and is replaced',
    wrong: 'Heartbeats come from a thread of their own, and hide for minutes that the main loop is dead.',
    seen: 'hashicorp/raft#503, #612, #614, #666; hashicorp/consul#3552, #22064',
    guardedIn: ['core/heartbeats.ts', 'runtime/core-pump.ts'],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    const heartbeats = cluster.record('heartbeat', { from: a });
    a.pause();
    cluster.until(() => b.isReady || c.isReady, 'another leader', 2 * TIMING.electionTimeoutMs);
    expect(heartbeats.count).toBe(0);
  },
);

scenario(
  {
    bug: 56,
    title: 'a leader whose disk hangs transfers leadership, though its followers commit without it',
    wrong: 'The disk of the leader hangs. It sends heartbeats on, so nobody replaces it.',
    seen: 'hashicorp/raft#503, #612, #614, #666; etcd-io/etcd#13527',
    mutant: [
      {
        file: 'leader.ts',
        find: 'leaveHungDisk(ctx, leadership) || ',
        replace: '',
      },
    ],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    a.stallDisk();
    const command = a.propose('while the disk hangs');
    cluster.settle();
    expect(command.outcome).toBe('done');
    cluster.until(() => b.isReady || c.isReady, 'another leader', 5 * TIMING.electionTimeoutMs);
    expect([a.role, cluster.committed]).toEqual(['follower', ['while the disk hangs']]);
    // It takes no part before its disk recovers, and then like any other.
    const heir = b.leads ? b : c;
    a.writeIn(0.5);
    cluster.until(() => a.leader === heir && a.lastIndex === heir.lastIndex, 'a follows');
    expect(cluster.leaders).toEqual([heir]);
  },
);

scenario(
  {
    bug: 56,
    title: 'a leader whose disk hangs steps down when nobody takes over',
    wrong: 'The disk of the leader hangs, and it keeps its leadership while it can find no successor.',
    seen: 'hashicorp/raft#503, #612, #614, #666',
    mutant: [
      {
        file: 'leaving.ts',
        find: 'return leadership.transfer === null && stepDown(ctx, leaving);',
        replace: 'return false;',
      },
    ],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    const orders = cluster.lose('timeoutNow');
    a.stallDisk();
    a.propose('while the disk hangs');
    const withinMs = 6 * TIMING.electionTimeoutMs + TIMING.transferTimeoutMs;
    cluster.until(() => b.isReady || c.isReady, 'another leader', withinMs);
    expect(orders.count).toBeGreaterThan(0);
    expect(a.role).not.toBe('leader');
  },
);
