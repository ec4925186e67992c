import { describe, expect, it } from '@jest/globals';
import type { Message } from './messages.js';
import {
  CoreHarness,
  heartbeat,
  heartbeatAnswer,
  preVoteGranted,
  preVoteRefused,
  timing,
  voteGranted,
} from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const log = (...terms: number[]) => new TestLog(configurationOf(['a', 'b', 'c']), terms);

describe('a candidate', () => {
  it('stands once a majority would vote for it, and leads once a majority did', () => {
    const node = new CoreHarness();
    node.campaign();
    node.receive('b', preVoteGranted(1));
    expect(node.status).toMatchObject({ role: 'candidate', term: 2 });
    expect(node.sent('vote').map(({ to, term, transferNumber }) => [to, term, transferNumber])).toEqual([
      ['b', 2, 0],
      ['c', 2, 0],
    ]);
    node.receive('c', voteGranted(2));
    expect(node.status).toMatchObject({ role: 'leader', term: 2, leader: 'a', ready: false });
    expect(node.terms()).toEqual([1, 2]);
    expect(node.sent('heartbeat').map(({ to }) => to)).toEqual(['b', 'c']);
    expect(node.sent('append').map(({ to, entries }) => [to, entries.map(({ kind }) => kind)])).toEqual([
      ['b', ['noop']],
      ['c', ['noop']],
    ]);
  });

  it('asks for votes only when its own vote and term are on disk', () => {
    const node = new CoreHarness({ slowDisk: true });
    node.campaign();
    node.receive('b', preVoteGranted(1));
    expect(node.sent('vote')).toEqual([]);
    expect(node.writing?.hardState).toMatchObject({ term: 2, votedFor: 'a' });
    expect(node.sent('vote', node.finishWrite())).toHaveLength(2);
  });

  it('counts a voter once, however often it answers', () => {
    const node = new CoreHarness({ restored: new TestLog(configurationOf([...'abcde'])).restored() });
    node.campaign();
    for (const from of 'bcd') node.receive(from, preVoteGranted(1));
    for (let repeat = 0; repeat < 3; repeat++) node.receive('b', voteGranted(2));
    expect(node.status.role).toBe('candidate');
  });

  it('does not count votes of non-voters, strangers or other terms', () => {
    const restored = new TestLog(configurationOf(['a', 'b', 'c'], ['n'])).restored();
    const node = new CoreHarness({ restored });
    node.campaign();
    node.receive('b', preVoteGranted(1));
    for (const from of ['n', 'x']) node.receive(from, voteGranted(2));
    node.receive('b', voteGranted(1));
    expect(node.status.role).toBe('candidate');
  });

  it('follows the leader of its term', () => {
    const node = new CoreHarness();
    node.campaign();
    node.receive('b', preVoteGranted(1));
    node.receive('c', heartbeat(2));
    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: 'c' });
  });

  it('tries again when the loyal are free, plus its stagger', () => {
    const node = new CoreHarness({ id: 'b', restored: log().restored({ term: 3 }) });
    node.campaign();
    node.receive('a', preVoteRefused(3, 120));
    node.receive('c', preVoteRefused(3, 80));
    expect(node.core.nextDeadlineMs() - node.now).toBe(120 + timing.rankSlotMs);
  });

  it('counts answers to earlier attempts, but none to attempts before a leader or another term', () => {
    const asks = (node: CoreHarness): number => {
      node.campaign();
      return node.sent('preVote')[0]?.requestId as number;
    };
    const lateGrant = (requestId: number): Message => ({ ...preVoteGranted(0), requestId });

    const patient = new CoreHarness();
    const first = asks(patient);
    asks(patient);
    patient.receive('b', lateGrant(first));
    expect(patient.status.role).toBe('candidate');

    const taught = new CoreHarness();
    const before = asks(taught);
    taught.receive('c', preVoteRefused(7, 0));
    asks(taught);
    taught.receive('b', lateGrant(before));
    expect(taught.status).toMatchObject({ role: 'follower', term: 7 });

    const led = new CoreHarness();
    const earlier = asks(led);
    led.receive('c', heartbeat(1));
    led.now += 10 * timing.electionTimeoutMs;
    asks(led);
    led.receive('b', lateGrant(earlier));
    expect(led.status).toMatchObject({ role: 'follower', term: 1 });
  });

  it('learns a later term from a refusal and asks again in it', () => {
    const node = new CoreHarness();
    node.campaign();
    node.receive('b', preVoteRefused(7, 0));
    expect(node.status.term).toBe(7);
    node.campaign();
    expect(node.sent('preVote')[0]?.term).toBe(8);
  });

  it('ignores late answers of a later term while it is loyal to a leader', () => {
    const node = new CoreHarness();
    node.waitForDeadline();
    node.receive('b', heartbeat(1));
    node.receive('c', preVoteRefused(9, 0));
    node.receive('c', { ...voteGranted(9), granted: false } as Message);
    node.receive('c', heartbeatAnswer(9));
    expect(node.status).toMatchObject({ term: 1, leader: 'b' });
    node.wait(timing.electionTimeoutMs);
    node.receive('c', heartbeatAnswer(9));
    expect(node.status).toMatchObject({ term: 9, leader: null });
  });

  it('asks silent voters again, and waits longer after each failed election', () => {
    const node = new CoreHarness();
    const patience = () => {
      while (node.status.role !== 'candidate') {
        node.campaign();
        node.receive('b', preVoteGranted(node.status.term));
      }
      const begin = node.now;
      const repeated: number[] = [];
      while (node.status.role === 'candidate') {
        node.waitForDeadline();
        if (node.sent('vote').length > 0) repeated.push(node.sent('vote').length);
      }
      return { ms: node.now - begin, repeated };
    };
    expect(patience().repeated).toEqual([]);
    const second = patience();
    expect(second.repeated).toEqual([2]);
    expect(second.ms).toBeGreaterThanOrEqual(2 * timing.electionTimeoutMs);
    expect(patience().ms).toBeGreaterThanOrEqual(4 * timing.electionTimeoutMs);
  });

  it('does not wait longer than usual when one voter refuses and the other is silent: the vote is split', () => {
    const node = new CoreHarness();
    const campaign = (answer?: (term: number) => void): number => {
      while (node.status.role !== 'candidate') {
        node.campaign();
        node.receive('b', preVoteGranted(node.status.term));
      }
      const begin = node.now;
      answer?.(node.status.term);
      while (node.status.role === 'candidate') node.waitForDeadline();
      return node.now - begin;
    };
    for (let fruitless = 0; fruitless < 4; fruitless++) campaign();
    const refused = campaign((term) =>
      node.receive('b', { ...voteGranted(term), granted: false } as Message),
    );
    expect(refused).toBeLessThan(2 * timing.electionTimeoutMs);
  });

  it('does not wait when all have refused', () => {
    const node = new CoreHarness();
    node.campaign();
    node.receive('b', preVoteGranted(1));
    for (const from of 'bc') {
      node.receive(from, { ...voteGranted(2), granted: false } as Message);
    }
    expect(node.core.nextDeadlineMs() - node.now).toBeLessThan(timing.electionTimeoutMs);
    node.waitForDeadline();
    expect(node.sent('preVote')).toHaveLength(2);
  });
});

describe('a lone voter', () => {
  it('leads at once, without asking anybody', () => {
    const node = new CoreHarness({ restored: new TestLog(configurationOf(['a'])).restored({ term: 4 }) });
    expect(node.now).toBe(1000);
    expect(node.status).toMatchObject({ role: 'leader', term: 5, ready: true, commitIndex: 2 });
  });
});

describe('two nodes that stand at the same time', () => {
  const asks = (requestId: number): Message => ({
    type: 'preVote',
    term: 2,
    requestId,
    lastIndex: 9,
    lastTerm: 1,
  });

  it('do not both continue: the one with the greater id waits, for less than the pause between two attempts', () => {
    const goesOn = (id: string, other: string): boolean => {
      const node = new CoreHarness({ id });
      node.campaign();
      const nextAttemptMs = node.core.nextDeadlineMs();
      node.receive(other, asks(1));
      expect(node.sent('preVoteResponse')[0]).toMatchObject({ granted: true });
      const deadlineMs = node.core.nextDeadlineMs();
      expect(deadlineMs).toBeLessThanOrEqual(Math.max(nextAttemptMs, node.now + 3 * timing.rankSlotMs));
      node.receive(other, preVoteGranted(1));
      return node.status.role === 'candidate';
    };
    expect([goesOn('a', 'b'), goesOn('b', 'a')]).toEqual([true, false]);
  });

  it('tie only briefly: they do not wait for the lost leader', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 3 }) });
    node.receive('c', heartbeat(3));
    node.campaign();
    node.receive('b', preVoteGranted(3));
    node.receive('b', { ...voteGranted(4), granted: false } as Message);
    expect(node.core.nextDeadlineMs() - node.now).toBeLessThanOrEqual(3 * timing.rankSlotMs);
    node.waitForDeadline();
    expect(node.status).toMatchObject({ role: 'follower', term: 4 });
    expect(node.sent('preVote')[0]).toMatchObject({ term: 5 });
  });

  it('a follower that would vote for another lets it try first', () => {
    const node = new CoreHarness();
    node.wait(timing.electionTimeoutMs - 1);
    node.receive('b', asks(1));
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(timing.rankSlotMs);
  });
});
