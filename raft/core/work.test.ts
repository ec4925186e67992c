import { describe, expect, it } from '@jest/globals';
import type { NodeId } from './configuration.js';
import type { CoreEvent } from './outputs.js';
import { CoreHarness, heartbeat, timing, type CoreHarnessOptions } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const PATIENCE_MS = 4 * timing.electionTimeoutMs;
const REST_MS = 4 * PATIENCE_MS;

/** A ready leader of these voters; everything is committed. */
function leader(voters = 'abc', options: CoreHarnessOptions = {}): CoreHarness {
  const node = CoreHarness.leader(new TestLog(configurationOf([...voters])), 2, options);
  for (const from of voters.slice(1)) node.acknowledge(from);
  return node;
}

interface Led {
  events: CoreEvent[];
  orders: NodeId[];
  /** How long it led. */
  forMs: number;
}

/** Leads for at most this long; these nodes answer each round of heartbeats. */
function lead(
  node: CoreHarness,
  forMs: number,
  answering = 'bc',
  meanwhile: (node: CoreHarness) => void = () => undefined,
): Led {
  const led: Led = { events: [], orders: [], forMs: 0 };
  const startMs = node.now;
  while (node.now < startMs + forMs && node.status.role === 'leader') {
    node.waitForDeadline();
    led.events.push(...node.outputs.flatMap((output) => (output.type === 'event' ? [output.event] : [])));
    led.orders.push(...node.sent('timeoutNow').map(({ to }) => to));
    if (node.status.role === 'leader') meanwhile(node);
    for (const from of answering) if (node.status.role === 'leader') node.confirm(from, { lastIndex: 2 });
  }
  led.forMs = node.now - startMs;
  return led;
}

const noWork = ({ events }: Led) => events.filter((event) => event.type === 'noWork');

/** Is elected again, in a later term, and gets nothing done again. */
function leadAgain(node: CoreHarness): Led {
  while (node.status.role !== 'leader') {
    node.campaign();
    const { term } = node.status;
    for (const from of 'bc') {
      node.receive(from, { type: 'preVoteResponse', term, requestId: 0, granted: true, remainingMs: 0 });
    }
    const vote = { type: 'voteResponse', requestId: 0, granted: true, remainingMs: 0 } as const;
    node.receive('b', { ...vote, term: node.status.term });
  }
  return lead(node, 1e6);
}

describe('a leader that gets nothing committed', () => {
  it('steps down when its entries reach nobody although all answer its heartbeats', () => {
    const node = leader();
    const id = node.propose();
    const led = lead(node, 1e6);
    expect(led.forMs).toBeGreaterThanOrEqual(PATIENCE_MS);
    expect(led.forMs).toBeLessThan(PATIENCE_MS + timing.heartbeatIntervalMs);
    expect(noWork(led)).toMatchObject([{ index: 3, then: 'step-down', successor: null }]);
    expect(node.answer(id)).toMatchObject({ outcome: 'unknown' });
    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: null });
    expect(led.events.at(-1)).toMatchObject({ reason: 'nothing was committed for 1200 ms' });
  });

  it('is judged by the first commit of its term in the same way', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf([...'abc'])), 2);
    const led = lead(node, 1e6);
    expect(led.forMs).toBeLessThan(PATIENCE_MS + timing.heartbeatIntervalMs);
    expect(noWork(led)).toMatchObject([{ index: 2, then: 'step-down' }]);
  });

  it('transfers leadership to the voter that has everything', () => {
    const node = leader('abcde');
    node.propose();
    node.acknowledge('d');
    const led = lead(node, PATIENCE_MS + timing.heartbeatIntervalMs, 'bcde');
    expect(noWork(led)).toMatchObject([{ then: 'transfer', successor: 'd' }]);
    expect(led.orders).toEqual(['d']);
    expect(node.status).toMatchObject({ role: 'leader', transferring: true });
  });

  it('steps down when that voter has not taken over in time', () => {
    const node = leader('abcde');
    node.propose();
    node.acknowledge('d');
    const led = lead(node, 1e6, 'bcde');
    expect(led.forMs).toBeGreaterThanOrEqual(PATIENCE_MS + timing.transferTimeoutMs);
    expect(led.forMs).toBeLessThan(PATIENCE_MS + timing.transferTimeoutMs + 3 * timing.heartbeatIntervalMs);
    expect(noWork(led)).toHaveLength(1);
  });

  it('goes on leading when the entry is committed after all, however late', () => {
    const node = leader();
    node.propose();
    lead(node, PATIENCE_MS - timing.heartbeatIntervalMs);
    node.acknowledge('b');
    expect(noWork(lead(node, 2 * PATIENCE_MS))).toEqual([]);
    expect(node.status.role).toBe('leader');
  });

  it('stays while the others could not elect anybody, and says so once', () => {
    const node = leader();
    node.propose();
    const led = lead(node, 3 * PATIENCE_MS, 'b');
    expect(noWork(led)).toMatchObject([{ then: 'stay', successor: null }]);
    expect(node.status.role).toBe('leader');
    // It steps down as soon as they can.
    expect(noWork(lead(node, 1e6))).toMatchObject([{ then: 'step-down' }]);
  });

  it('stays when it is the only voter', () => {
    const node = new CoreHarness({ restored: new TestLog(configurationOf(['a'])).restored() });
    while (node.status.role !== 'leader') node.waitForDeadline();
    node.slowDisk = true;
    node.propose();
    expect(noWork(lead(node, 3 * PATIENCE_MS, ''))).toMatchObject([
      { then: 'stay', obstacles: [{ node: 'a', what: 'disk' }] },
    ]);
    expect(node.status.role).toBe('leader');
  });

  it('was not idle while there was nothing to do', () => {
    const node = leader();
    expect(lead(node, 5 * PATIENCE_MS)).toMatchObject({ events: [], orders: [] });
    node.propose();
    expect(lead(node, PATIENCE_MS - timing.heartbeatIntervalMs).events).toEqual([]);
    expect(node.status.role).toBe('leader');
  });
});

describe('what counts as work', () => {
  it('is what a voter confirms of the waiting entry', () => {
    const node = leader();
    node.propose();
    const request = node.sent('append').find(({ to }) => to === 'b')?.requestId ?? 0;
    let bytes = 0;
    const moves = (): void => {
      bytes += 1000;
      node.step({ type: 'progress', to: 'b', requestId: request, bytes });
    };
    expect(lead(node, timing.requestTimeoutMs * 5, 'bc', moves).events).toEqual([]);
    expect(node.status.role).toBe('leader');
    expect(noWork(lead(node, PATIENCE_MS + timing.heartbeatIntervalMs))).toHaveLength(1);
  });

  it('is not the same first part of a repeated request', () => {
    const node = leader();
    node.propose();
    const again = (): void => {
      for (const { to, requestId } of node.sent('append')) {
        node.step({ type: 'progress', to, requestId, bytes: 5000 });
        node.step({ type: 'requestFailed', to, requestId });
      }
    };
    again();
    expect(lead(node, 1e6, 'bc', again).forMs).toBeLessThan(PATIENCE_MS + timing.heartbeatIntervalMs);
  });

  it('is neither what a non-voter gets, nor what follows the waiting entry', () => {
    const log = new TestLog(configurationOf([...'abcde'], ['n']));
    const node = CoreHarness.leader(log, 2);
    for (const from of 'bcde') node.acknowledge(from);
    node.propose();
    let given = 0;
    const busy = (): void => {
      if (given++ < 10) node.propose();
      node.acknowledge('n');
      node.acknowledge('b');
    };
    const led = lead(node, 1e6, 'bcde', busy);
    expect(led.forMs).toBeLessThan(PATIENCE_MS + timing.transferTimeoutMs + 3 * timing.heartbeatIntervalMs);
  });

  it('is a follower that catches up', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf([...'abc']), Array<number>(90).fill(1)), 2);
    let match = 0;
    const caughtUp = (): void => void node.acknowledge('b', ++match);
    expect(noWork(lead(node, 80 * timing.heartbeatIntervalMs, 'bc', caughtUp))).toEqual([]);
    expect(node.status.role).toBe('leader');
  });
});

describe('the patience of a leader', () => {
  const first = (node = leader()): CoreHarness => {
    node.propose();
    lead(node, 1e6);
    return node;
  };

  it('doubles each time that it leaves, up to 32 times the initial value', () => {
    const node = first();
    const times = [2, 4, 8, 16, 32, 32].map((factor) => ({ factor, led: leadAgain(node).forMs }));
    for (const { factor, led } of times) {
      expect(led).toBeGreaterThanOrEqual(factor * PATIENCE_MS);
      expect(led).toBeLessThan(factor * PATIENCE_MS + timing.heartbeatIntervalMs);
    }
  });

  /** Commits this many entries, each after a while. */
  const work = (node: CoreHarness, entries: number, eachMs: number): void => {
    for (let entry = 0; entry < entries; entry++) {
      node.propose();
      lead(node, eachMs);
      node.acknowledge('b');
    }
  };
  const elected = (node: CoreHarness): CoreHarness => {
    node.random = 0;
    leadAgain(node);
    while (node.status.role !== 'leader') {
      node.campaign();
      const { term } = node.status;
      for (const from of 'bc') {
        node.receive(from, { type: 'preVoteResponse', term, requestId: 0, granted: true, remainingMs: 0 });
      }
      node.receive('b', {
        type: 'voteResponse',
        term: node.status.term,
        requestId: 0,
        granted: true,
        remainingMs: 0,
      });
    }
    for (const from of 'bc') node.acknowledge(from);
    return node;
  };

  it('is reset after 32 prompt commits', () => {
    const node = elected(first());
    work(node, 32, timing.heartbeatIntervalMs);
    node.propose();
    expect(lead(node, 1e6).forMs).toBeLessThan(PATIENCE_MS + timing.heartbeatIntervalMs);
  });

  it('does not change while commits take longer than the initial value: slow disks do not make it leave again', () => {
    const node = elected(first());
    work(node, 40, 1.5 * PATIENCE_MS);
    expect(node.status.role).toBe('leader');
    work(node, 31, timing.heartbeatIntervalMs);
    node.propose();
    expect(lead(node, 1e6).forMs).toBeGreaterThan(2 * PATIENCE_MS);
  });
});

describe('a node that led without progress', () => {
  const resting = (): CoreHarness => {
    const node = leader();
    node.step({ type: 'eligibility', value: 9 });
    node.propose();
    lead(node, 1e6);
    return node;
  };

  it('lets the others try to elect one of themselves first, for a while', () => {
    const node = resting();
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(3 * timing.electionTimeoutMs);
    node.campaign();
    expect(node.sent('preVote')).toHaveLength(2);
    node.now += REST_MS;
    node.receive('b', heartbeat(3));
    expect(node.core.nextDeadlineMs() - node.now).toBeLessThan(2 * timing.electionTimeoutMs);
  });

  it('tells its leader half of its eligibility for a while', () => {
    const node = resting();
    const told = (): number | undefined => {
      node.receive('b', heartbeat(3));
      return node.sent('heartbeatResponse')[0]?.eligibility;
    };
    expect(told()).toBe(4);
    node.now += REST_MS - 1;
    expect(told()).toBe(4);
    node.now += 1;
    expect(told()).toBe(9);
  });
});

describe('the obstacles that a leader names', () => {
  it('are what each voter that lacks the entry suffers from', () => {
    const node = leader('abcdef');
    node.propose();
    node.acknowledge('b');
    const fail = (): void => {
      for (const { to, requestId } of node.sent('append')) {
        if (to === 'c') node.step({ type: 'requestFailed', to, requestId, cause: 'unreachable' });
      }
      // It has the entry, but its disk does not finish the write.
      node.confirm('d', { lastIndex: 3 });
    };
    const led = lead(node, PATIENCE_MS + timing.heartbeatIntervalMs, 'bce', fail);
    expect(noWork(led)).toMatchObject([
      {
        obstacles: [
          { node: 'c', what: 'link', failure: 'unreachable' },
          { node: 'd', what: 'disk' },
          { node: 'e', what: 'link' },
          { node: 'f', what: 'silent' },
        ],
      },
    ]);
  });
});
