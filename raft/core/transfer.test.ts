import { describe, expect, it } from '@jest/globals';
import type { TimeoutNowRequest } from './messages.js';
import { heartbeat, CoreHarness, timing } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const members = configurationOf(['a', 'b', 'c'], ['n']);

function leader(): CoreHarness {
  const node = CoreHarness.leader(new TestLog(members), 2);
  for (const from of 'bc') node.acknowledge(from);
  return node;
}

const transfer = (node: CoreHarness, to?: string): number => node.ask((id) => ({ type: 'transfer', id, to }));

describe('a leader that transfers leadership', () => {
  it('tells the target to stand when it has everything, with the exact position', () => {
    const node = leader();
    node.propose();
    transfer(node, 'b');
    expect(node.sent('timeoutNow')).toEqual([]);
    node.acknowledge('b');
    expect(node.sent('timeoutNow')).toMatchObject([{ to: 'b', term: 2, lastIndex: 3, lastTerm: 2 }]);
  });

  it('takes proposals until the target has what was in the log, and none after that', () => {
    const node = leader();
    node.wait(timing.heartbeatIntervalMs);
    node.confirm('c');
    const first = node.propose();
    const id = transfer(node, 'b');
    const second = node.propose();
    expect(node.answer(second)).toBeUndefined();
    expect(node.status).toMatchObject({ transferring: true, lastIndex: 4 });
    expect(node.status.leaseRemainingMs).toBeGreaterThan(0);
    node.acknowledge('c');
    expect(node.sent('timeoutNow')).toEqual([]);
    node.acknowledge('b', 3);
    expect(node.sent('timeoutNow')).toEqual([]);
    expect(node.status.leaseRemainingMs).toBe(0);
    expect(node.answer(node.propose())).toMatchObject({ reason: 'transfer-in-progress' });
    node.acknowledge('b', 4);
    expect(node.sent('timeoutNow')).toMatchObject([{ to: 'b', lastIndex: 4 }]);
    expect([first, second, id].map((each) => node.answer(each))).toEqual([undefined, undefined, undefined]);
  });

  it('takes proposals all the time when the target does not catch up, and says why it did not', () => {
    const node = leader();
    node.propose();
    const { requestId } = node.sent('append').find(({ to }) => to === 'b') ?? { requestId: 0 };
    const id = transfer(node, 'b');
    node.step({ type: 'requestFailed', to: 'b', requestId, cause: 'timeout' });
    for (const end = node.now + timing.transferTimeoutMs; node.now < end;) {
      node.acknowledge('c');
      expect(node.answer(node.propose())).toBeUndefined();
      node.wait(timing.heartbeatIntervalMs);
      if (node.now >= end) break;
      for (const from of 'bc') node.confirm(from);
    }
    expect(node.answer(id)).toEqual({
      outcome: 'rejected',
      reason: 'transfer-timeout',
      detail: 'b did not catch up in time (link: timeout)',
    });
    expect(node.status).toMatchObject({ role: 'leader', transferring: false });
  });

  it('gives the last entries as much time as the first ones', () => {
    const node = leader();
    node.propose();
    const id = transfer(node, 'b');
    const answered = (forMs: number): void => {
      for (const end = node.now + forMs; node.now < end && !node.answer(id);) {
        node.wait(Math.min(timing.heartbeatIntervalMs, end - node.now));
        if (!node.answer(id)) for (const from of 'bc') node.confirm(from);
      }
    };
    answered(timing.transferTimeoutMs - 10);
    node.propose();
    node.acknowledge('b', 3);
    answered(timing.transferTimeoutMs - 10);
    expect(node.status.transferring).toBe(true);
    answered(2 * timing.heartbeatIntervalMs);
    expect(node.answer(id)).toMatchObject({ outcome: 'rejected', reason: 'transfer-timeout' });
  });

  it('refuses another one meanwhile, and says whom it transfers leadership to', () => {
    const node = leader();
    node.propose();
    transfer(node, 'b');
    expect(node.answer(transfer(node, 'b'))).toEqual({
      outcome: 'rejected',
      reason: 'transfer-in-progress',
      detail: 'a transfer to b is under way',
    });
  });

  it('takes no proposals, changes or other transfers meanwhile, and shows no lease', () => {
    const node = leader();
    node.wait(timing.heartbeatIntervalMs);
    node.confirm('c');
    expect(node.status.leaseRemainingMs).toBeGreaterThan(0);
    transfer(node, 'b');
    expect(node.status).toMatchObject({ transferring: true, leaseRemainingMs: 0 });
    const change = { type: 'remove', id: 'c' } as const;
    for (const ask of [
      () => node.propose(),
      () => transfer(node, 'c'),
      () => node.ask((id) => ({ type: 'changeMembership', id, change, expectedIndex: undefined })),
    ]) {
      expect(node.answer(ask())).toMatchObject({ reason: 'transfer-in-progress' });
    }
    expect(node.status.lastIndex).toBe(2);
  });

  it('says done when somebody took over', () => {
    const node = leader();
    const id = transfer(node, 'b');
    node.receive('b', { type: 'vote', term: 3, requestId: 1, lastIndex: 2, lastTerm: 2, transferNumber: 1 });
    expect(node.answer(id)).toMatchObject({ outcome: 'done', term: 3 });
    expect(node.sent('voteResponse')[0]?.granted).toBe(true);
  });

  it('does not say done when the target says that it takes over: it may lose its election', () => {
    const node = leader();
    const id = transfer(node, 'b');
    const requestId = node.sent('timeoutNow')[0]?.requestId ?? 0;
    node.receive('b', { type: 'timeoutNowResponse', term: 2, requestId, accepted: true });
    expect(node.answer(id)).toBeUndefined();
    expect(node.status).toMatchObject({ role: 'leader', transferring: true });
  });

  it('does not say done when it merely lost its quorum', () => {
    const node = leader();
    node.now += timing.leaseTimeoutMs - 10;
    const id = transfer(node, 'b');
    while (node.status.role === 'leader') node.waitForDeadline();
    expect(node.answer(id)?.outcome).toBe('unknown');
  });

  it('serves proposals again when the target did not catch up in time', () => {
    const node = leader();
    node.propose();
    const id = transfer(node, 'b');
    const end = node.now + timing.transferTimeoutMs;
    while (node.now < end) {
      node.waitForDeadline();
      if (node.answer(id)) break;
      node.confirm('c');
    }
    expect(node.answer(id)).toMatchObject({ outcome: 'rejected', reason: 'transfer-timeout' });
    expect(node.status.transferring).toBe(false);
    expect(node.answer(node.propose())).toBeUndefined();
  });

  it('cannot know the outcome when it has told the target to stand and hears nothing', () => {
    const node = leader();
    const id = transfer(node, 'b');
    while (!node.answer(id)) {
      node.waitForDeadline();
      if (!node.answer(id)) node.confirm('c');
    }
    expect(node.answer(id)?.outcome).toBe('unknown');
    expect(node.status.role).toBe('leader');
  });

  it('has no lease before it tells the target to stand, nor from older heartbeats when that fails', () => {
    const node = leader();
    node.wait(timing.heartbeatIntervalMs);
    for (const from of 'bc') node.confirm(from);
    const id = transfer(node, 'b');
    expect(node.sent('timeoutNow')).toHaveLength(1);
    expect(node.status.leaseRemainingMs).toBe(0);
    const end = node.now + timing.transferTimeoutMs;
    let round = 0;
    while (node.now < end) {
      node.waitForDeadline();
      if (!node.answer(id)) for (const from of 'bc') node.confirm(from);
      round = node.round;
    }
    expect(node.status).toMatchObject({ transferring: false, leaseRemainingMs: 0 });
    for (const from of 'bc') node.confirm(from, { round: round - 1 });
    expect(node.status.leaseRemainingMs).toBe(0);
    node.wait(timing.heartbeatIntervalMs);
    node.confirm('b');
    expect(node.status.leaseRemainingMs).toBe(timing.leaseTimeoutMs);
  });

  it('has a lease again once a quorum knows that the transfer is over: its order may still be on the way', () => {
    const node = leader();
    node.wait(timing.heartbeatIntervalMs);
    node.confirm('c');
    transfer(node, 'b');
    const requestId = node.sent('timeoutNow')[0]?.requestId ?? 0;
    node.now += 1;
    node.receive('b', { type: 'timeoutNowResponse', term: 2, requestId, accepted: false });
    expect(node.status.leaseRemainingMs).toBe(0);
    node.now += 1;
    node.step({ type: 'tick' });
    expect(new Set(node.sent('heartbeat').map(({ transfersEnded }) => transfersEnded))).toEqual(new Set([1]));
    node.confirm('c', { round: node.sent('heartbeat')[0]?.round ?? 0 });
    expect(node.status.leaseRemainingMs).toBeGreaterThan(0);
    transfer(node, 'b');
    expect(node.sent('timeoutNow')).toMatchObject([{ transferNumber: 2 }]);
  });

  it('accepts only the refusal of its current request, not of an earlier one', () => {
    const node = leader();
    const first = transfer(node, 'b');
    const early = node.sent('timeoutNow')[0]?.requestId ?? 0;
    const refuse = (requestId: number) =>
      node.receive('b', { type: 'timeoutNowResponse', term: 2, requestId, accepted: false });
    refuse(early);
    expect(node.answer(first)).toMatchObject({ outcome: 'rejected', reason: 'transfer-timeout' });
    const second = transfer(node, 'b');
    const late = node.sent('timeoutNow')[0]?.requestId ?? 0;
    refuse(early);
    expect(node.answer(second)).toBeUndefined();
    refuse(late);
    expect(node.answer(second)).toMatchObject({ outcome: 'rejected' });
  });

  it.each([
    ['a', 'already-leader'],
    ['n', 'not-a-voter'],
    ['x', 'no-such-member'],
  ])('refuses to transfer leadership to %s: %s', (to, reason) => {
    const node = leader();
    expect(node.answer(transfer(node, to))).toMatchObject({ outcome: 'rejected', reason });
  });

  it('picks the fittest voter that answers', () => {
    const node = leader();
    node.wait(timing.heartbeatIntervalMs);
    node.confirm('b', { eligibility: 1 });
    node.confirm('c', { eligibility: 5 });
    node.confirm('n', { eligibility: 9 });
    transfer(node);
    expect(node.sent('timeoutNow')[0]?.to).toBe('c');
  });

  it('picks nobody when there is no other voter', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf(['a'], ['n'])), 2);
    expect(node.answer(transfer(node))).toMatchObject({ outcome: 'rejected', reason: 'no-such-member' });
  });
});

describe('a node that is asked to take over', () => {
  const timeoutNow = (changes: Partial<TimeoutNowRequest> = {}): TimeoutNowRequest => ({
    type: 'timeoutNow',
    term: 2,
    requestId: 9,
    transferNumber: 1,
    lastIndex: 2,
    lastTerm: 2,
    ...changes,
  });
  const follower = (voters = ['a', 'b', 'c']): CoreHarness => {
    const node = new CoreHarness({ restored: new TestLog(configurationOf(voters, ['n']), [2]).restored() });
    node.receive('b', heartbeat(2));
    return node;
  };

  it('stands at once, without pre-vote and with the right to disturb', () => {
    const node = follower();
    node.receive('b', timeoutNow());
    expect(node.sent('timeoutNowResponse')).toMatchObject([{ to: 'b', accepted: true }]);
    expect(node.sent('vote').map(({ term, transferNumber }) => [term, transferNumber])).toEqual([
      [3, 1],
      [3, 1],
    ]);
  });

  it('obeys no order of a transfer that is over: given up, or refused when it came first', () => {
    const node = follower();
    node.receive('b', heartbeat(2, { transfersEnded: 1 }));
    node.receive('b', timeoutNow({ transferNumber: 1 }));
    node.receive('b', timeoutNow({ transferNumber: 2, lastIndex: 1 }));
    node.receive('b', timeoutNow({ transferNumber: 2 }));
    expect(node.sent('timeoutNowResponse')).toMatchObject([{ accepted: false }]);
    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: 'b' });
    node.receive('b', timeoutNow({ transferNumber: 3 }));
    expect(node.status).toMatchObject({ role: 'candidate', term: 3 });
  });

  it('obeys no order that waited unread during a stall: the leader has given it up by now', () => {
    const node = follower();
    node.now += 4 * timing.electionTimeoutMs;
    node.step({ type: 'stalled', forMs: 4 * timing.electionTimeoutMs });
    node.receive('b', heartbeat(2));
    node.receive('b', timeoutNow({ transferNumber: 1 }));
    expect(node.sent('timeoutNowResponse')).toMatchObject([{ accepted: false }]);
    expect(node.status).toMatchObject({ role: 'follower', term: 2, leader: 'b' });
    node.wait(timing.heartbeatIntervalMs);
    node.receive('b', timeoutNow({ transferNumber: 2 }));
    expect(node.status).toMatchObject({ role: 'candidate', term: 3 });
  });

  it('does not refuse after a short pause', () => {
    const node = follower();
    node.step({ type: 'stalled', forMs: timing.electionTimeoutMs - 1 });
    node.receive('b', timeoutNow());
    expect(node.status).toMatchObject({ role: 'candidate', term: 3 });
  });

  it('is not stopped by the heartbeats of the old leader', () => {
    const node = follower();
    node.receive('b', timeoutNow());
    node.receive('b', heartbeat(2));
    expect(node.status).toMatchObject({ role: 'candidate', term: 3 });
  });

  it('refuses unless sender, term and position are exactly its own', () => {
    for (const [from, message] of [
      ['c', timeoutNow()],
      ['b', timeoutNow({ term: 1 })],
      ['b', timeoutNow({ lastIndex: 1 })],
      ['b', timeoutNow({ lastTerm: 1 })],
    ] as const) {
      const node = follower();
      node.receive(from, message);
      expect(node.sent('timeoutNowResponse')[0]?.accepted).toBe(false);
      expect(node.status.role).toBe('follower');
    }
  });

  it('refuses as a non-voter', () => {
    const node = follower(['b', 'c']);
    node.receive('b', timeoutNow());
    expect(node.sent('timeoutNowResponse')[0]?.accepted).toBe(false);
  });
});
