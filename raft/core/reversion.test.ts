import { describe, expect, it } from '@jest/globals';
import type { CoreEvent, Output } from './outputs.js';
import { heartbeat, CoreHarness, timing } from './testing/core-harness.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const alarms = (outputs: readonly Output[]): CoreEvent[] =>
  outputs.flatMap((output) =>
    output.type === 'event' && output.event.type === 'reverted' ? [output.event] : [],
  );
const peer = (node: CoreHarness, id: string) => node.status.peers.find((status) => status.id === id);

/** The leader `a` of a, b, c with the log 1…4, all of it acknowledged by `b`. */
function leader(): CoreHarness {
  const node = CoreHarness.leader(new TestLog(configurationOf(['a', 'b', 'c'])), 2);
  node.acknowledge('b');
  node.propose();
  node.propose();
  node.acknowledge('b');
  return node;
}

/** The request ids of what the leader sent last to `b`. */
const heartbeatTo = (node: CoreHarness, to: string) => {
  node.wait(timing.heartbeatIntervalMs);
  return node.sent('heartbeat').find((message) => message.to === to);
};

describe('a follower that reports less than it acknowledged', () => {
  it('is refused and raises an alarm, and its acknowledgement no longer counts', () => {
    const node = leader();
    const { requestId, round } = heartbeatTo(node, 'b') ?? {};
    const outputs = node.confirm('b', { requestId: requestId ?? 0, round: round ?? 0, lastIndex: 2 });
    expect(alarms(outputs)).toEqual([
      { type: 'reverted', node: 'b', proof: 'shorter', acknowledged: 4, found: 2 },
    ]);
    expect(peer(node, 'b')).toMatchObject({ state: 'reverted', matchIndex: 0 });
    expect(node.sent('append', outputs)).toEqual([]);
    node.propose();
    expect(node.sent('append').map(({ to }) => to)).not.toContain('b');
    node.acknowledge('b');
    expect(node.status.commitIndex).toBe(4);
    node.acknowledge('c');
    expect(node.status.commitIndex).toBe(5);
  });

  it('does not count for the lease, nor as a successor', () => {
    const node = leader();
    const first = heartbeatTo(node, 'b');
    node.confirm('b', { requestId: first?.requestId ?? 0, lastIndex: 2 });
    expect(node.status.peers.find(({ rank }) => rank === 0)?.id).toBe('c');
    const end = node.now + 2 * timing.leaseTimeoutMs;
    while (node.now < end && node.status.role === 'leader') {
      node.waitForDeadline();
      if (node.status.role === 'leader') node.confirm('b', { lastIndex: 2 });
    }
    expect(node.status.role).toBe('follower');
  });

  it.each([
    ['does not reach its own acknowledgement', 4, 3, 0],
    ['holds something else there', 4, 2, 1],
  ])('is found by the refusal of an append that %s', (_, acknowledged, conflictIndex, conflictTerm) => {
    const node = leader();
    node.propose();
    const outputs = node.refuse('b', conflictIndex, conflictTerm);
    expect(alarms(outputs)).toMatchObject([{ node: 'b', acknowledged }]);
    expect(node.sent('append', outputs)).toEqual([]);
    expect(node.sent('snapshot', outputs)).toEqual([]);
  });

  it('is told again with every heartbeat what it had acknowledged', () => {
    const node = leader();
    const logHash = node.core.entry(4)?.chainHash;
    expect(heartbeatTo(node, 'b')).toMatchObject({ acknowledged: 4, commit: 4, logHash });
    node.confirm('b', { requestId: heartbeatTo(node, 'b')?.requestId ?? 0, lastIndex: 2 });
    expect(heartbeatTo(node, 'b')).toMatchObject({ acknowledged: 4, commit: 0 });
  });

  it('starts over when another disk replaces it', () => {
    const node = leader();
    node.acknowledge('c');
    node.confirm('b', { requestId: heartbeatTo(node, 'b')?.requestId ?? 0, lastIndex: 2 });
    node.ask((id) => ({
      type: 'changeMembership',
      id,
      change: { type: 'remove', id: 'b' },
      expectedIndex: undefined,
    }));
    node.acknowledge('c');
    node.ask((id) => ({
      type: 'changeMembership',
      id,
      change: { type: 'addNonvoter', id: 'b', address: 'b:1', incarnation: 'another disk' },
      expectedIndex: undefined,
    }));
    expect(peer(node, 'b')).toMatchObject({ state: 'probe' });
  });
});

describe('a follower that says that its disk lost something', () => {
  it('no longer counts, and each leader that hears of it raises an alarm', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf(['a', 'b', 'c'])), 2);
    const { requestId, round } = heartbeatTo(node, 'b') ?? { requestId: 0, round: 0 };
    const outputs = node.confirm('b', { requestId, round, lastIndex: 9, reverted: true });
    expect(alarms(outputs)).toEqual([
      { type: 'reverted', node: 'b', proof: 'noted', acknowledged: 0, found: 9 },
    ]);
    expect(peer(node, 'b')).toMatchObject({ state: 'reverted', matchIndex: 0 });
    expect(alarms(node.confirm('b', { requestId, round, lastIndex: 9, reverted: true }))).toEqual([]);
    node.acknowledge('b');
    expect(node.status.commitIndex).toBe(0);
  });
});

describe('a leader that no longer has the entry', () => {
  it('reports no commit that the follower could not check', () => {
    const log = new TestLog(configurationOf(['a', 'b', 'c']), [2, 2, 2]);
    const node = CoreHarness.leader(log, 3);
    node.acknowledge('b', 2);
    node.acknowledge('c');
    node.step({ type: 'applied', index: node.status.commitIndex });
    node.step({ type: 'compact', index: 4, data: new Uint8Array(0) });
    expect(node.status.snapshotIndex).toBe(4);
    expect(heartbeatTo(node, 'b')).toMatchObject({ acknowledged: 2, commit: 0, logHash: undefined });
    expect(heartbeatTo(node, 'c')).toMatchObject({ acknowledged: 5, commit: 5 });
  });
});

describe('answers that come late or twice', () => {
  it('raise no alarm: the follower wrote them before it acknowledged more', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf(['a', 'b', 'c'])), 2);
    const early = heartbeatTo(node, 'b');
    node.acknowledge('b');
    node.propose();
    node.acknowledge('b');
    const outputs = node.confirm('b', { requestId: early?.requestId ?? 0, lastIndex: 1 });
    expect(alarms(outputs)).toEqual([]);
    expect(peer(node, 'b')).toMatchObject({ state: 'replicate', matchIndex: 3 });
  });

  it('raise no alarm when a refusal was overtaken by the acknowledgement of what it lacked', () => {
    const node = leader();
    node.propose();
    node.propose();
    const [first, second] = node.core['ctx'].leadership?.progress.get('b')?.['inflight'] ?? [];
    const { term } = node.status;
    const answer = { type: 'appendResponse' as const, term, conflictTerm: 0 };
    // The second append came first and was refused; the first was taken.
    node.receive('b', {
      ...answer,
      requestId: first?.requestId ?? 0,
      success: true,
      matchIndex: 5,
      conflictIndex: 0,
    });
    const outputs = node.receive('b', {
      ...answer,
      requestId: second?.requestId ?? 0,
      success: false,
      matchIndex: 0,
      conflictIndex: 5,
    });
    expect(alarms(outputs)).toEqual([]);
    expect(node.sent('append', outputs)).toMatchObject([{ to: 'b', prevIndex: 5 }]);
  });

  it('raise no alarm when an older conflict begins before what both have in common', () => {
    const node = CoreHarness.leader(new TestLog(configurationOf(['a', 'b', 'c']), [2, 2, 4]), 5);
    node.acknowledge('b', 3);
    node.core['ctx'].leadership?.progress.get('b')?.probeFrom(5);
    node.wait(timing.heartbeatIntervalMs);
    const outputs = node.refuse('b', 2, 2);
    expect(alarms(outputs)).toEqual([]);
  });
});

describe('a node whose own log is shorter than what it acknowledged', () => {
  const reverted = (): CoreHarness => {
    const node = new CoreHarness({ restored: new TestLog(configurationOf(['a', 'b', 'c']), [2]).restored() });
    node.receive('b', heartbeat(2, { acknowledged: 5 }));
    return node;
  };

  it('says so once', () => {
    const node = reverted();
    expect(alarms(node.outputs)).toEqual([
      { type: 'reverted', node: 'a', proof: 'shorter', acknowledged: 5, found: 2 },
    ]);
    expect(node.sent('heartbeatResponse')).toMatchObject([{ to: 'b', lastIndex: 2, reverted: true }]);
    node.receive('b', heartbeat(2, { acknowledged: 5 }));
    expect(alarms(node.outputs)).toEqual([]);
  });

  it('gives no vote: it may have forgotten one', () => {
    const node = reverted();
    node.now += timing.electionTimeoutMs;
    const log = { lastIndex: 9, lastTerm: 2 };
    node.receive('c', { type: 'preVote', term: 3, requestId: 1, ...log });
    expect(node.sent('preVoteResponse')[0]).toMatchObject({ granted: false, remainingMs: 0 });
    node.receive('c', { type: 'vote', term: 3, requestId: 1, ...log, transferNumber: 0 });
    expect(node.sent('voteResponse')[0]).toMatchObject({ granted: false, term: 3 });
  });

  it('never stands, whether the leader is silent or asks it to', () => {
    const node = reverted();
    node.receive('b', {
      type: 'timeoutNow',
      term: 2,
      requestId: 1,
      transferNumber: 1,
      lastIndex: 2,
      lastTerm: 2,
    });
    expect(node.sent('timeoutNowResponse')[0]?.accepted).toBe(false);
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.sent('preVote')).toEqual([]);
    expect(node.core.nextDeadlineMs()).toBe(Infinity);
  });

  it('raises no alarm when it only has not acknowledged the end of a longer log', () => {
    const node = new CoreHarness({ restored: new TestLog(configurationOf(['a', 'b', 'c']), [2]).restored() });
    node.receive('b', heartbeat(2, { acknowledged: 2 }));
    expect(alarms(node.outputs)).toEqual([]);
    // What a leader of an earlier term knew does not come from this leader.
    node.receive('c', heartbeat(3, { acknowledged: 0 }));
    node.receive('b', heartbeat(2, { acknowledged: 9 }));
    expect(alarms(node.outputs)).toEqual([]);
  });
});

describe('a node whose log differs from the one that it acknowledged', () => {
  const configuration = configurationOf(['a', 'b', 'c']);
  /** What it acknowledged to `b`, leader of term 2; its disk went back to where it followed another. */
  const acknowledged = new TestLog(configuration, [2, 2]);
  const older = new TestLog(configuration, [1, 1, 1]);
  const told = heartbeat(2, { acknowledged: 3, commit: 3, logHash: acknowledged.at(3).chainHash });

  const reverted = (): CoreHarness => {
    const node = new CoreHarness({ restored: older.restored() });
    node.receive('b', told);
    return node;
  };

  it('knows by the next heartbeat, and commits nothing', () => {
    const node = reverted();
    expect(alarms(node.outputs)).toEqual([
      { type: 'reverted', node: 'a', proof: 'other-entries', acknowledged: 3, found: 4 },
    ]);
    expect(node.sent('heartbeatResponse')).toMatchObject([{ to: 'b', lastIndex: 4, reverted: true }]);
    node.receive('b', told);
    expect(node.status.commitIndex).toBe(0);
  });

  it('knows before anything of it is committed', () => {
    const node = new CoreHarness({ restored: older.restored() });
    node.receive('b', { ...told, commit: 1 });
    expect(alarms(node.outputs)).toHaveLength(1);
  });

  it('says so only when that is on its disk', () => {
    const node = new CoreHarness({ restored: older.restored(), slowDisk: true });
    node.receive('b', told);
    expect(node.sent('heartbeatResponse')).toEqual([]);
    expect(node.writing?.hardState).toMatchObject({ reverted: true });
    expect(node.sent('heartbeatResponse', node.finishWrite())).toMatchObject([{ reverted: true }]);
  });

  it('takes, acknowledges and cuts off nothing', () => {
    const node = reverted();
    node.receive('b', acknowledged.append(2, 1, 3, 3));
    expect(node.sent('appendResponse')).toMatchObject([{ success: true, matchIndex: 0 }]);
    expect(node.terms()).toEqual([1, 1, 1, 1]);
    const snapshot = { ...acknowledged.snapshotAt(3), data: new Uint8Array(0) };
    node.receive('b', { type: 'snapshot', term: 2, requestId: 7, snapshot });
    expect(node.sent('snapshotResponse')).toEqual([]);
    expect(node.status).toMatchObject({ commitIndex: 0, snapshotIndex: 0, lastIndex: 4 });
    expect(node.halted()).toBeUndefined();
  });

  it('raises no alarm when the entries are the same, or the leader does not say', () => {
    const node = new CoreHarness({ restored: acknowledged.restored() });
    node.receive('b', told);
    expect(alarms(node.outputs)).toEqual([]);
    expect(node.status.commitIndex).toBe(3);
    const other = new CoreHarness({ restored: older.restored() });
    other.receive('b', { ...told, logHash: undefined });
    expect(alarms(other.outputs)).toEqual([]);
    expect(other.status.commitIndex).toBe(3);
  });

  it('commits nothing that it lacks, not even when it was removed meanwhile', () => {
    const node = new CoreHarness({ restored: new TestLog(configuration, [1]).restored() });
    node.receive('b', { ...told, acknowledged: 0 });
    expect(node.status.commitIndex).toBe(0);
  });
});

describe('a node that was found reverted before it was restarted', () => {
  const log = new TestLog(configurationOf(['a', 'b', 'c']), [2]);
  const restarted = (): CoreHarness => new CoreHarness({ restored: log.restored({ reverted: true }) });

  it('says so again', () => {
    expect(alarms(restarted().outputs)).toEqual([
      { type: 'reverted', node: 'a', proof: 'noted', acknowledged: 0, found: 2 },
    ]);
  });

  it('neither votes nor stands nor commits, whoever leads', () => {
    const node = restarted();
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.sent('preVote')).toEqual([]);
    node.receive('c', { type: 'vote', term: 3, requestId: 1, lastIndex: 9, lastTerm: 2, transferNumber: 0 });
    expect(node.sent('voteResponse')[0]).toMatchObject({ granted: false });
    node.receive('b', heartbeat(4, { commit: 2, acknowledged: 2, logHash: log.at(2).chainHash }));
    expect(node.status.commitIndex).toBe(0);
    expect(node.sent('heartbeatResponse')).toMatchObject([{ reverted: true }]);
    expect(alarms(node.outputs)).toEqual([]);
  });

  it('keeps the note with every later term', () => {
    const node = new CoreHarness({ restored: log.restored({ reverted: true }), slowDisk: true });
    node.receive('b', heartbeat(7));
    expect(node.writing?.hardState).toMatchObject({ term: 7, reverted: true });
  });
});
