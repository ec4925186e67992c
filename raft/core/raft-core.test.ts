import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AppendRequest, Entry, VoteRequest } from './types.js';
import {
  configurationOf,
  entriesAfter,
  EMPTY_STATE,
  LIMITS,
  LoneCore,
  restored,
} from './testing/lone-core.js';

const voteFrom = (term: number, lastIndex: number, lastTerm: number, transfer = false): VoteRequest => ({
  type: 'vote',
  term,
  requestId: 1,
  lastIndex,
  lastTerm,
  transfer,
});

/** The append of a leader that sends `entries` behind `core`'s entry `prevIndex`. */
function appendBehind(
  core: LoneCore,
  prevIndex: number,
  term: number,
  entries: Entry[],
  commit = 0,
): AppendRequest {
  return {
    type: 'append',
    term,
    requestId: 7,
    prevIndex,
    prevTerm: core.core.termAt(prevIndex) ?? 0,
    prevHash: core.core.entry(prevIndex)?.chainHash ?? 0,
    commit,
    entries,
  };
}

const hashAt = (core: LoneCore, index: number): number => core.core.entry(index)?.chainHash ?? 0;

describe('elections', () => {
  it('make a lone voter leader, but not before its vote is on disk', () => {
    const a = new LoneCore('a', EMPTY_STATE);
    a.step({ type: 'bootstrap', id: 1, configuration: configurationOf('a') });
    a.writes.splice(0).forEach(({ seq }) => a.step({ type: 'stored', seq }));
    a.step({ type: 'tick' });
    expect(a.status).toMatchObject({ role: 'candidate', term: 2 });
    a.store();
    expect(a.status).toMatchObject({ role: 'leader', ready: true, commitIndex: 2 });
  });

  it('ask for votes only when the own vote is on disk, after a majority said it would vote', () => {
    const a = new LoneCore('a', restored(1, []));
    a.expire();
    expect(a.status).toMatchObject({ role: 'follower', term: 1 });
    const [preVote] = a.take('preVote');
    a.receive('b', {
      type: 'preVoteResponse',
      term: 1,
      requestId: preVote!.message.requestId,
      granted: true,
      remainingMs: 0,
    });
    expect(a.status).toMatchObject({ role: 'candidate', term: 2 });
    expect(a.take('vote')).toEqual([]);
    a.store();
    expect(a.take('vote').map(({ to }) => to)).toEqual(['b', 'c']);
  });

  it('grant one vote in a term, on disk first, and say so again when asked again (bug 5)', () => {
    const b = new LoneCore('b', restored(1, []));
    b.receive('a', voteFrom(2, 1, 1));
    expect(b.take('voteResponse')).toEqual([]);
    expect(b.writes[0]?.hardState).toMatchObject({ term: 2, votedFor: 'a' });
    b.store();
    b.receive('a', voteFrom(2, 1, 1));
    b.receive('c', voteFrom(2, 9, 1));
    expect(b.take('voteResponse').map(({ to, message }) => [to, message.granted])).toEqual([
      ['a', true],
      ['a', true],
      ['c', false],
    ]);
  });

  it.each([
    ['shorter', 1, 1],
    ['of an older term, though longer', 9, 1],
  ])('refuse a candidate whose log is %s', (_, lastIndex, lastTerm) => {
    const b = new LoneCore('b', restored(2, [2, 2]));
    b.receive('a', voteFrom(3, lastIndex, lastTerm));
    b.store();
    expect(b.take('voteResponse')[0]?.message.granted).toBe(false);
  });

  it('leave a voter loyal to a leader that it hears: it does not even take the term', () => {
    const b = new LoneCore('b', restored(1, []));
    b.receive('a', { type: 'heartbeat', term: 1, requestId: 1, round: 1, commit: 0 });
    b.now += 100;
    b.receive('c', voteFrom(5, 9, 4));
    expect(b.take('voteResponse')[0]?.message).toMatchObject({ granted: false, term: 1, remainingMs: 200 });
    b.receive('c', voteFrom(5, 9, 4, true));
    b.store();
    expect(b.take('voteResponse')[0]?.message).toMatchObject({ granted: true, term: 5 });
  });

  it('begin at once when the leader is proven dead, one slot apart', () => {
    const b = new LoneCore('b', restored(1, []));
    b.receive('a', { type: 'heartbeat', term: 1, requestId: 1, round: 1, commit: 0 });
    b.step({ type: 'peerGone', peer: 'c' });
    expect(b.core.nextDeadlineMs()).toBeGreaterThan(b.now + 250);
    b.step({ type: 'peerGone', peer: 'a' });
    expect(b.core.nextDeadlineMs()).toBeLessThan(b.now + 50);
  });
});

describe('replication', () => {
  it('acknowledges only what is on disk', () => {
    const b = new LoneCore('b', restored(1, []));
    b.receive('a', appendBehind(b, 1, 1, entriesAfter({ index: 1, hash: hashAt(b, 1) }, [1, 1])));
    expect(b.take('appendResponse')).toEqual([]);
    b.store();
    expect(b.take('appendResponse')[0]?.message).toMatchObject({ success: true, matchIndex: 3 });
  });

  it('keeps entries behind a late, shorter message (bug 21)', () => {
    const b = new LoneCore('b', restored(1, [1, 1, 1]));
    const known = b.core.entry(2) as Entry;
    b.receive('a', appendBehind(b, 1, 1, [known]));
    expect(b.status.lastIndex).toBe(4);
    expect(b.writes).toEqual([]);
  });

  it('replaces a conflicting tail in one write, and commits no more than the message proved (bug 20)', () => {
    const b = new LoneCore('b', restored(2, [2, 2, 2]));
    b.receive('a', appendBehind(b, 1, 3, entriesAfter({ index: 1, hash: hashAt(b, 1) }, [3]), 9));
    expect(b.writes).toHaveLength(1);
    expect(b.writes[0]).toMatchObject({ truncateFrom: 2, hardState: { term: 3 } });
    expect(b.writes[0]?.entries.map(({ index, term }) => [index, term])).toEqual([[2, 3]]);
    expect(b.status).toMatchObject({ lastIndex: 2, commitIndex: 2 });
  });

  it('halts rather than cut what is committed', () => {
    const b = new LoneCore('b', restored(2, [2]));
    b.receive('a', { type: 'heartbeat', term: 2, requestId: 1, round: 1, commit: 2 });
    b.receive('c', appendBehind(b, 1, 3, entriesAfter({ index: 1, hash: hashAt(b, 1) }, [3])));
    expect(b.halts[0]).toContain('below commit');
    expect(b.step({ type: 'tick' })).toEqual([]);
  });

  it('halts when the same entry has another content', () => {
    const b = new LoneCore('b', restored(1, [1]));
    b.receive('a', appendBehind(b, 1, 1, entriesAfter({ index: 1, hash: hashAt(b, 1) }, [1], 'other')));
    expect(b.halts[0]).toContain('differs');
  });

  it('points at the first entry of the conflicting term', () => {
    const b = new LoneCore('b', restored(2, [2, 2, 2]));
    b.receive('a', { ...appendBehind(b, 4, 3, []), prevTerm: 3 });
    b.store();
    expect(b.take('appendResponse')[0]?.message).toMatchObject({
      success: false,
      conflictIndex: 2,
      conflictTerm: 2,
    });
  });

  it('does not take the end of an old write for that of its replacement (bug 25)', () => {
    const b = new LoneCore('b', restored(1, []));
    b.receive('a', appendBehind(b, 1, 1, entriesAfter({ index: 1, hash: hashAt(b, 1) }, [1])));
    const first = b.writes.shift();
    b.receive('c', appendBehind(b, 1, 2, entriesAfter({ index: 1, hash: hashAt(b, 1) }, [2])));
    b.step({ type: 'stored', seq: first!.seq });
    expect(b.take('appendResponse')).toEqual([]);
    b.store();
    expect(b.take('appendResponse').map(({ to, message }) => [to, message.matchIndex])).toEqual([['c', 2]]);
  });
});

describe('a leader', () => {
  let a: LoneCore;
  beforeEach(() => {
    a = new LoneCore('a', restored(2, [2]));
    a.elect('b');
  });

  it('sends its entries while its own disk still writes, and counts its disk as one vote', () => {
    expect(a.status).toMatchObject({ role: 'leader', term: 3, lastIndex: 3 });
    expect(a.take('append').map(({ to }) => to)).toEqual(['b', 'c']);
    expect(a.writes).toHaveLength(1);
    a.acknowledge('b', 3);
    expect(a.status.commitIndex).toBe(1);
    a.store();
    expect(a.status).toMatchObject({ commitIndex: 3, ready: true });
  });

  it('does not commit an entry of an older term by counting (figure 8, bug 19)', () => {
    a.store();
    a.acknowledge('b', 2);
    a.acknowledge('c', 2);
    expect(a.status.commitIndex).toBe(1);
    a.acknowledge('c', 3);
    expect(a.status.commitIndex).toBe(3);
  });

  it('answers a proposal with done when a quorum has it, and with unknown when it lost the leadership', () => {
    a.store();
    a.acknowledge('b', 3);
    a.step({ type: 'propose', id: 1, data: new Uint8Array(5), crc: 0 });
    a.step({ type: 'propose', id: 2, data: new Uint8Array(5), crc: 0 });
    a.store();
    a.acknowledge('b', 4);
    expect(a.answers.get(1)).toEqual({ outcome: 'done', index: 4, term: 3 });
    a.receive('c', { type: 'heartbeat', term: 4, requestId: 1, round: 1, commit: 0 });
    expect(a.answers.get(2)).toMatchObject({ outcome: 'unknown' });
    a.step({ type: 'propose', id: 3, data: new Uint8Array(5), crc: 0 });
    expect(a.answers.get(3)).toEqual({ outcome: 'rejected', reason: 'not-leader' });
  });

  it('refuses proposals beyond its limits (bug 32)', () => {
    for (let id = 1; id <= LIMITS.uncommittedEntriesMax + 1; id++) {
      a.step({ type: 'propose', id, data: new Uint8Array(5), crc: 0 });
    }
    expect([...a.answers.values()]).toEqual([{ outcome: 'rejected', reason: 'too-many-uncommitted' }]);
  });

  it('steps down when it hears no quorum for the lease, and is as patient as the acknowledgements are fresh', () => {
    for (let beat = 0; beat < 10; beat++) {
      a.expire();
      const sent = a.take('heartbeat').find(({ to }) => to === 'b');
      if (!sent || beat > 3) continue;
      const { term, requestId, round } = sent.message;
      a.receive('b', { type: 'heartbeatResponse', term, requestId, round, eligibility: 1 });
    }
    expect(a.status.role).toBe('follower');
    expect(a.now).toBeGreaterThan(1000 + 300 + 4 * 50);
  });

  it('resigns before it acts on what came while it was frozen (bug 54)', () => {
    a.store();
    a.acknowledge('b', 3);
    a.now += 400;
    a.step({ type: 'propose', id: 1, data: new Uint8Array(5), crc: 0 });
    expect(a.answers.get(1)).toEqual({ outcome: 'rejected', reason: 'not-leader' });
  });

  it('answers a read when a later round of heartbeats came back (bug 49)', () => {
    a.store();
    a.acknowledge('b', 3);
    const [before] = a.take('heartbeat').slice(-2);
    a.step({ type: 'read', id: 1 });
    const answer = (round: number): unknown =>
      a.receive('b', { type: 'heartbeatResponse', term: 3, requestId: 1, round, eligibility: 1 });
    answer(before!.message.round);
    expect(a.answers.has(1)).toBe(false);
    answer(a.take('heartbeat').at(-1)!.message.round);
    expect(a.answers.get(1)).toEqual({ outcome: 'done', index: 3, term: 3 });
  });

  it('hands over only to a voter that has everything, and takes no proposals meanwhile', () => {
    a.store();
    a.acknowledge('b', 2);
    a.step({ type: 'transfer', id: 1, to: 'b' });
    expect(a.take('timeoutNow')).toEqual([]);
    a.step({ type: 'propose', id: 2, data: new Uint8Array(5), crc: 0 });
    expect(a.answers.get(2)).toEqual({ outcome: 'rejected', reason: 'transfer-in-progress' });
    a.acknowledge('b', 3);
    expect(a.take('timeoutNow')[0]).toMatchObject({
      to: 'b',
      message: { term: 3, lastIndex: 3, lastTerm: 3 },
    });
    a.receive('b', voteFrom(4, 3, 3, true));
    expect(a.answers.get(1)).toMatchObject({ outcome: 'done' });
  });

  it('changes the membership one step at a time, after a commit of its own term, with the expected version', () => {
    const change = { type: 'addNonvoter', id: 'd', address: 'd:1', incarnation: 'd' } as const;
    a.step({ type: 'changeMembership', id: 1, change, expectedIndex: undefined });
    expect(a.answers.get(1)).toMatchObject({ reason: 'no-commit-in-term' });
    a.store();
    a.acknowledge('b', 3);
    a.step({ type: 'changeMembership', id: 2, change, expectedIndex: 9 });
    expect(a.answers.get(2)).toMatchObject({ detail: 'configuration changed since 9 (latest is 1)' });
    a.step({ type: 'changeMembership', id: 3, change, expectedIndex: 1 });
    a.step({
      type: 'changeMembership',
      id: 4,
      change: { type: 'remove', id: 'c' },
      expectedIndex: undefined,
    });
    expect(a.answers.get(4)).toMatchObject({ reason: 'change-in-progress' });
    a.store();
    a.acknowledge('b', 4);
    expect(a.answers.get(3)).toEqual({ outcome: 'done', index: 4, term: 3 });
  });

  it('rolls the membership back with the log (bug 35)', () => {
    a.store();
    a.acknowledge('b', 3);
    a.step({
      type: 'changeMembership',
      id: 1,
      change: { type: 'remove', id: 'c' },
      expectedIndex: undefined,
    });
    expect(a.status.configuration.configuration.members.map(({ id }) => id)).toEqual(['a', 'b']);
    a.receive('c', appendBehind(a, 3, 4, entriesAfter({ index: 3, hash: hashAt(a, 3) }, [4])));
    expect(a.status.configuration).toMatchObject({ index: 1 });
    expect(a.status.configuration.configuration.members).toHaveLength(3);
  });
});

describe('snapshots', () => {
  it('are sent to a follower whose next entry is compacted, and never move a node back (bug 59)', () => {
    const a = new LoneCore('a', restored(2, [2, 2]));
    a.elect('b');
    a.store();
    a.acknowledge('b', 4);
    a.step({ type: 'applied', index: 4 });
    a.step({ type: 'compact', index: 3, data: new Uint8Array(1) });
    a.store();
    expect(a.status.snapshotIndex).toBe(3);
    const [probe] = a.take('append').filter(({ to }) => to === 'c');
    const refusal = { success: false, matchIndex: 0, conflictIndex: 1, conflictTerm: 0 };
    a.receive('c', { type: 'appendResponse', term: 3, requestId: probe!.message.requestId, ...refusal });
    const [sent] = a.take('snapshot');
    expect(sent).toMatchObject({ to: 'c', message: { snapshot: { index: 3, term: 2 } } });

    const c = new LoneCore('c', EMPTY_STATE);
    c.receive('a', { ...sent!.message, snapshot: { ...sent!.message.snapshot, data: new Uint8Array(1) } });
    expect(c.take('snapshotResponse')).toEqual([]);
    c.store();
    expect(c.take('snapshotResponse')[0]?.message.matchIndex).toBe(3);
    expect(c.status).toMatchObject({ commitIndex: 3, snapshotIndex: 3 });
    c.receive('a', { ...sent!.message, requestId: 99 });
    expect(c.writes).toEqual([]);
    expect(c.status).toMatchObject({ commitIndex: 3, snapshotIndex: 3 });
  });
});
