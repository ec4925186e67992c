import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TIMING_PROFILES } from '../../raft/index.js';
import type { Leadership } from '../../rpc/server/history.js';
import { ChainState } from '../chain/chain-state.js';
import { committed, refOf } from '../testing/chain.js';
import { LeadershipWatch, type HandOver } from './leadership-watch.js';

/** Member `b`, in virtual time. */
class Watched {
  readonly chain = new ChainState();
  readonly raft = new EventEmitter();
  readonly told: Leadership[] = [];
  readonly watch: LeadershipWatch;
  lastRecordedLeader: string | null = null;
  private index = 100;
  private term = 0;

  constructor() {
    const raft = Object.assign(this.raft, {
      nodeId: 'b',
      timing: TIMING_PROFILES.lan,
      status: () => ({ commitIndex: this.index }),
    });
    this.watch = new LeadershipWatch({
      raft: raft as never,
      chain: this.chain,
      lastRecordedLeader: () => this.lastRecordedLeader,
    });
    this.watch.on('changed', (change) => void this.told.push(change));
    for (const number of [5, 6]) this.commit(number);
  }

  role(role: 'follower' | 'candidate' | 'leader', leader: string | null, term: number): void {
    this.term = term;
    this.raft.emit('role', { type: 'role', role, term, leader, reason: '' });
  }

  /** The leader is lost, and this member becomes a candidate. */
  stand(cause: 'timeout' | 'leader-gone' | 'transfer'): void {
    const prevote = cause !== 'transfer';
    this.role(prevote ? 'follower' : 'candidate', null, prevote ? this.term : this.term + 1);
    this.raft.emit('electionStarted', { cause, prevote, term: this.term + 1 });
  }

  /** It leads, and its first entry is committed. */
  win(term: number): void {
    this.role('leader', 'b', term);
    this.raft.emit('leaderReady');
  }

  commit(number: number): void {
    this.index += 1;
    const block = committed(refOf(number), this.index);
    const verdict = this.chain.apply(block, undefined);
    this.watch.applied(block, verdict);
  }
}

let t: Watched;

beforeEach(() => {
  jest.useFakeTimers();
  t = new Watched();
});

afterEach(() => void jest.useRealTimers());

const pass = (ms: number): void => void jest.advanceTimersByTime(ms);

/** `a` leads in term 4, and its last block has just arrived. */
function following(): void {
  t.role('follower', 'a', 4);
  t.raft.emit('stored', 1);
}

const handOver: HandOver = {
  from: 'a',
  term: 4,
  cause: { type: 'transfer', reason: '' },
  who: { address: '10.0.0.9:4000', reason: 'maintenance' },
};

describe('a change of leadership', () => {
  it('after the death of the leader is reported once, with the first block', () => {
    following();
    pass(300);
    t.stand('leader-gone');
    pass(40);
    t.win(5);
    pass(60);
    t.watch.sequencerStarted();
    expect(t.told).toEqual([]);
    pass(200);
    t.commit(7);
    t.commit(8);
    pass(60_000);
    expect(t.told).toEqual([
      {
        from: 'a',
        to: 'b',
        term: 5,
        cause: { type: 'process-gone', reason: '' },
        withoutSequencerMs: 100,
        betweenBlocksMs: 600,
        slotsMissed: 0,
        firstBlock: { number: 7, hash: refOf(7).hash },
      },
    ]);
  });

  it('counts silence from its beginning, not from when it was noticed', () => {
    following();
    pass(1000);
    t.stand('timeout');
    t.raft.emit('electionStarted', { cause: 'timeout', prevote: false, term: 5 });
    t.win(5);
    t.watch.sequencerStarted();
    t.commit(7);
    expect(t.told).toMatchObject([{ cause: { type: 'no-contact' }, withoutSequencerMs: 300 }]);
  });

  it('does not mistake a block of the former leader for its own', () => {
    following();
    t.stand('leader-gone');
    t.role('leader', 'b', 5);
    // The new leader's entry commits this one, too.
    t.commit(7);
    t.raft.emit('leaderReady');
    expect(t.told).toEqual([]);
    t.commit(8);
    expect(t.told).toMatchObject([{ firstBlock: { number: 8 } }]);
  });

  it('has the cause that the former leader recorded', () => {
    following();
    t.watch.handsOver(handOver);
    const heard: unknown[] = [];
    t.watch.on('changed', (_, said) => heard.push(said));
    t.stand('transfer');
    t.win(5);
    t.commit(7);
    expect(t.told).toMatchObject([{ from: 'a', cause: handOver.cause }]);
    expect(heard).toEqual([handOver]);
  });

  it.each([
    ['of an earlier term', { ...handOver, term: 3 }],
    ['of another leader', { ...handOver, from: 'c' }],
  ])('ignores a cause that was recorded %s', (_, said) => {
    following();
    t.watch.handsOver(said);
    t.stand('transfer');
    t.win(5);
    t.commit(7);
    expect(t.told).toMatchObject([{ cause: { type: 'not-said' } }]);
  });

  it('is from a member to itself if it had lost its quorum', () => {
    following();
    t.stand('leader-gone');
    t.win(5);
    t.commit(7);
    t.role('follower', null, 5);
    t.raft.emit('electionStarted', { cause: 'timeout', prevote: true, term: 6 });
    t.win(6);
    t.commit(8);
    expect(t.told[1]).toMatchObject({ from: 'b', to: 'b', term: 6, cause: { type: 'no-quorum' } });
  });

  it('is reported without a block if leadership is lost first, or if no block comes', () => {
    following();
    t.stand('leader-gone');
    t.win(5);
    t.role('follower', 'c', 6);
    expect(t.told).toMatchObject([{ to: 'b', term: 5, firstBlock: null, withoutSequencerMs: null }]);
    t.stand('leader-gone');
    t.win(7);
    pass(29_999);
    expect(t.told).toHaveLength(1);
    pass(1);
    expect(t.told[1]).toMatchObject({ from: 'c', to: 'b', term: 7, firstBlock: null });
    t.commit(7);
    expect(t.told).toHaveLength(2);
  });

  it('after a start of all members is from the last recorded leader', () => {
    t.lastRecordedLeader = 'c';
    t.win(5);
    t.commit(7);
    expect(t.told).toMatchObject([{ from: 'c', cause: { type: 'start' } }]);
  });

  it('knows the block time if there are several blocks a second', () => {
    following();
    // Five in a second: timestamps are in whole seconds.
    t.chain.startFrom(undefined);
    for (let number = 5; number <= 16; number++) {
      t.chain.apply({ ...committed(refOf(number), number), timestamp: Math.floor(number / 5) }, undefined);
    }
    pass(500);
    t.stand('leader-gone');
    t.win(5);
    pass(100);
    t.commit(17);
    expect(t.told).toMatchObject([{ betweenBlocksMs: 600, slotsMissed: 2 }]);
  });

  it('is not reported by a member that does not lead', () => {
    following();
    t.role('follower', null, 4);
    t.role('follower', 'c', 5);
    t.commit(7);
    pass(60_000);
    expect(t.told).toEqual([]);
  });
});
