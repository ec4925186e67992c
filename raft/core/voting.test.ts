import { describe, expect, it } from '@jest/globals';
import type { PreVoteRequest, VoteRequest } from './messages.js';
import { heartbeat, preVoteGranted, CoreHarness, timing } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const log = (...terms: number[]) => new TestLog(configurationOf(['a', 'b', 'c']), terms);

const vote = (term: number, lastTerm = 1, lastIndex = 1, transferNumber = 0): VoteRequest => ({
  type: 'vote',
  term,
  requestId: 5,
  lastIndex,
  lastTerm,
  transferNumber,
});
const preVote = (term: number, lastTerm = 1, lastIndex = 1): PreVoteRequest => ({
  type: 'preVote',
  term,
  requestId: 5,
  lastIndex,
  lastTerm,
});

const answer = (node: CoreHarness) => node.sent('voteResponse')[0];
const preAnswer = (node: CoreHarness) => node.sent('preVoteResponse')[0];

describe('a vote', () => {
  it('is given once in a term, to the same candidate as often as it asks', () => {
    const node = new CoreHarness();
    node.receive('b', vote(2));
    expect(answer(node)).toMatchObject({ term: 2, granted: true });
    node.receive('c', vote(2));
    expect(answer(node)).toMatchObject({ term: 2, granted: false });
    node.receive('b', vote(2));
    expect(answer(node)).toMatchObject({ term: 2, granted: true });
  });

  it('is sent only when it is on disk, the second answer too', () => {
    const node = new CoreHarness({ slowDisk: true });
    node.receive('b', vote(2));
    node.receive('b', vote(2));
    expect(answer(node)).toBeUndefined();
    expect(node.writing?.hardState).toMatchObject({ term: 2, votedFor: 'b' });
    const released = node.sent('voteResponse', node.finishWrite());
    expect(released.map(({ granted }) => granted)).toEqual([true, true]);
  });

  it('is remembered after a restart', () => {
    const node = new CoreHarness({ restored: log().restored({ term: 2, votedFor: 'b' }) });
    node.receive('c', vote(2));
    expect(answer(node)?.granted).toBe(false);
  });

  it('stays when the candidate steps down within the term', () => {
    const node = new CoreHarness();
    node.campaign();
    node.receive('b', preVoteGranted(1));
    node.receive('c', heartbeat(2));
    node.wait(timing.electionTimeoutMs);
    node.receive('b', vote(2));
    expect(answer(node)?.granted).toBe(false);
  });

  it('goes to nobody whose log is older: the last term counts first, then the length', () => {
    const granted = (lastTerm: number, lastIndex: number) => {
      const node = new CoreHarness({ restored: log(2, 3).restored() });
      node.receive('b', vote(9, lastTerm, lastIndex));
      return answer(node)?.granted;
    };
    expect(granted(2, 50)).toBe(false);
    expect(granted(3, 2)).toBe(false);
    expect(granted(3, 3)).toBe(true);
    expect(granted(4, 1)).toBe(true);
  });

  it('delays its own candidacy', () => {
    const node = new CoreHarness();
    node.wait(timing.electionTimeoutMs - 1);
    node.receive('b', vote(2));
    expect(node.core.nextDeadlineMs() - node.now).toBeGreaterThanOrEqual(timing.electionTimeoutMs);
  });

  it('of a refused candidate still brings its term', () => {
    const node = new CoreHarness({ restored: log(2).restored() });
    node.receive('b', vote(5, 1, 1));
    expect(answer(node)).toMatchObject({ granted: false, term: 5 });
  });
});

describe('a follower that hears its leader', () => {
  const loyal = () => {
    const node = new CoreHarness();
    node.receive('c', heartbeat(1));
    node.wait(100);
    return node;
  };

  it('refuses votes and pre-votes, says for how long, and does not even learn the term', () => {
    const node = loyal();
    node.receive('b', vote(7));
    expect(answer(node)).toMatchObject({
      granted: false,
      term: 1,
      remainingMs: timing.electionTimeoutMs - 100,
    });
    node.receive('b', preVote(7));
    expect(preAnswer(node)).toMatchObject({
      granted: false,
      term: 1,
      remainingMs: timing.electionTimeoutMs - 100,
    });
  });

  it('still votes for the node that the leader asked to take over', () => {
    const node = loyal();
    node.receive('b', vote(2, 1, 1, 1));
    expect(answer(node)).toMatchObject({ granted: true, term: 2 });
  });

  it('does not vote for the target of a transfer that the leader has given up', () => {
    const node = loyal();
    node.receive('c', heartbeat(1, { transfersEnded: 1 }));
    node.receive('b', vote(2, 1, 1, 1));
    expect(answer(node)).toMatchObject({ granted: false, term: 1 });
    node.receive('b', vote(2, 1, 1, 2));
    expect(answer(node)).toMatchObject({ granted: true, term: 2 });
  });

  it('is free after the election timeout', () => {
    const node = loyal();
    node.now += timing.electionTimeoutMs - 100;
    node.receive('b', vote(2));
    expect(answer(node)?.granted).toBe(true);
  });
});

describe('a pre-vote', () => {
  it('binds nobody: no term, no vote, no patience', () => {
    const node = new CoreHarness({ slowDisk: true });
    const deadline = node.core.nextDeadlineMs();
    for (const from of 'bc') {
      node.receive(from, preVote(2));
      expect(preAnswer(node)).toMatchObject({ granted: true, term: 1 });
    }
    expect(node.writing).toBeUndefined();
    expect(node.status.term).toBe(1);
    expect(node.core.nextDeadlineMs()).toBe(deadline);
  });

  it('is refused for an older log, for a term that is over, and for one in which the vote is given', () => {
    const granted = (message: PreVoteRequest) => {
      const node = new CoreHarness({ restored: log(2).restored({ term: 4, votedFor: 'c' }) });
      node.receive('b', message);
      return preAnswer(node)?.granted;
    };
    expect(granted(preVote(5, 2, 2))).toBe(true);
    expect(granted(preVote(5, 2, 1))).toBe(false);
    expect(granted(preVote(4, 2, 2))).toBe(false);
    expect(granted(preVote(3, 2, 2))).toBe(false);
  });

  it('is refused by a leader', () => {
    const node = CoreHarness.leader(log(), 2);
    node.receive('b', preVote(9, 9, 9));
    expect(preAnswer(node)).toMatchObject({ granted: false, remainingMs: timing.electionTimeoutMs });
    expect(node.status.role).toBe('leader');
  });
});
