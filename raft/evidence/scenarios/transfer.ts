import { expect } from '@jest/globals';
import { TIMING } from './dsl/calm-options.js';
import { scenario } from './dsl/scenario.js';

/** The target obeys any sender at any time. */
const UNCHECKED = [
  {
    file: 'candidate.ts',
    find: `message.term === ctx.term &&
    message.transferNumber > ctx.transfersEnded(message.term) &&
    ctx.now >= ctx.ignoreTakeoverUntilMs &&
    ctx.role === 'follower' &&
    ctx.leader === from &&
    ctx.isVoter(ctx.id) &&
    ctx.mayStand &&
    message.lastIndex === ctx.log.lastIndex &&
    message.lastTerm === ctx.log.lastTerm;`,
    replace: "ctx.role === 'follower';",
  },
] as const;

const NEVER_GIVEN_UP = [
  {
    file: 'transfer.ts',
    find: 'endTransfer(ctx, leadership);\n  const { id, to, requestId } = transfer;',
    replace: 'transfer.deadlineMs = Infinity;\n  const { id, to, requestId } = transfer;',
  },
] as const;

scenario(
  {
    bug: 37,
    title: 'an order to take over that is overtaken by a demotion is not obeyed',
    wrong: 'A node is told to take over while it is being demoted. It stands though it may not lead.',
    seen: 'redpanda-data/redpanda#2606; hashicorp/raft#398, #581; tikv/raft-rs#234, #369',
    mutant: UNCHECKED,
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    const order = cluster.hold('timeoutNow', { to: b });
    a.transferTo(b);
    expect(a.demote(b).outcome).toBe('rejected: transfer-in-progress');
    cluster.wait(TIMING.transferTimeoutMs + TIMING.heartbeatIntervalMs);
    const asked = a.demote(b);
    cluster.settle();
    expect([asked.outcome, order.count]).toEqual(['done', 1]);
    const { term } = a;
    order.release();
    cluster.settle();
    expect([a.leads, a.term]).toEqual([true, term]);
  },
);

scenario(
  {
    bug: 42,
    title: 'an order to take over that comes elections later, twice, disturbs nobody',
    wrong: 'An order to take over arrives late, or twice, and deposes a good leader.',
    seen: 'camunda/camunda#58339 and those of catalogue no. 37',
    mutant: UNCHECKED,
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    const order = cluster.hold('timeoutNow', { to: b });
    a.transferTo(b);
    cluster.settle();
    cluster.isolate(a);
    cluster.elect(c);
    cluster.heal();
    cluster.until(() => a.leader === c, 'a follows c');
    const { term } = c;
    order.replay();
    order.release();
    cluster.wait(TIMING.electionTimeoutMs);
    expect([c.leads, c.term]).toEqual([true, term]);
  },
);

scenario(
  {
    bug: 43,
    title: 'a leader that transfers leadership answers no reads from habit',
    wrong: 'A leader answers reads by its lease during a transfer, though the target has won already.',
    seen: 'databendlabs/openraft#1747 (1ef3e574)',
    mutant: 'reads without proof of leadership',
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    a.propose('x');
    cluster.settle();
    a.transferTo(b);
    // The order is in flight. What the others say afterwards does not reach a.
    cluster.silence(b).towards(a);
    cluster.silence(c).towards(a);
    cluster.until(() => b.isReady, 'b leads');
    b.propose('y');
    cluster.settle();
    expect([a.leads, cluster.committed]).toEqual([true, ['x', 'y']]);
    const read = a.read();
    cluster.settle();
    expect(read.outcome).not.toBe('done');
  },
);

scenario(
  {
    bug: 44,
    title: 'a heartbeat of the old leader does not call the new candidate back',
    wrong:
      'A heartbeat of the old leader turns the target of a transfer back into a follower: the transfer never ends.',
    seen: 'canonical/raft#203, #205; RedisLabs/raft#88',
    mutant: [
      {
        file: 'accept.ts',
        find: 'if (term < ctx.term) return false;',
        replace: "if (term < ctx.term && ctx.role !== 'candidate') return false;",
      },
    ],
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    const heartbeats = cluster.hold('heartbeat', { from: a, to: b });
    cluster.until(() => heartbeats.count > 0, 'a sends a heartbeat', 2 * TIMING.heartbeatIntervalMs);
    a.transferTo(b);
    cluster.until(() => b.role === 'candidate', 'b stands', 10);
    heartbeats.release();
    cluster.until(() => b.isReady, 'b leads', TIMING.heartbeatIntervalMs);
  },
);

scenario(
  {
    bug: 45,
    title: 'a leader whose transfer fails serves again',
    wrong: 'A leader whose transfer failed refuses proposals forever.',
    seen: 'hashicorp/raft#570; rabbitmq/ra#435, #525',
    mutant: NEVER_GIVEN_UP,
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    b.crash();
    const transfer = a.transferTo(b);
    expect(a.propose('during').outcome).toBe('rejected: transfer-in-progress');
    cluster.wait(TIMING.transferTimeoutMs + TIMING.heartbeatIntervalMs);
    expect(transfer.outcome).toBe('unknown');
    const asked = a.propose('after');
    cluster.settle();
    expect(asked.outcome).toBe('done');
  },
);

scenario(
  {
    bug: 46,
    title: 'a transfer that was given up is not carried out later',
    wrong: 'A transfer that was given up is carried out later.',
    seen: 'tikv/tikv#19922',
    mutant: NEVER_GIVEN_UP,
  },
  (cluster) => {
    const { a, b } = cluster;
    cluster.elect(a);
    cluster.isolate(b);
    a.propose('x');
    const transfer = a.transferTo(b);
    cluster.wait(TIMING.transferTimeoutMs + TIMING.heartbeatIntervalMs);
    expect(transfer.outcome).toBe('rejected: transfer-timeout');
    const { term } = a;
    cluster.heal();
    cluster.until(() => b.log.length === 1, 'b catches up');
    cluster.wait(2 * TIMING.electionTimeoutMs);
    expect([a.leads, a.term]).toEqual([true, term]);
  },
);

scenario(
  {
    bug: 47,
    title: 'leadership goes to a node that is fit for it, whatever the logs say',
    wrong: 'Leadership goes to the node with the longest log, although its application cannot work.',
    seen: 'evstack/ev-node#3255',
    mutant: [
      {
        file: 'succession.ts',
        find: 'b.eligibility - a.eligibility ||',
        replace: '',
      },
    ],
  },
  (cluster) => {
    const { a, b, c } = cluster;
    cluster.elect(a);
    b.fitness = 0;
    c.fitness = 2;
    cluster.wait(2 * TIMING.heartbeatIntervalMs);
    a.transferTo();
    cluster.until(() => b.isReady || c.isReady, 'another leader');
    expect(c.leads).toBe(true);
  },
);
