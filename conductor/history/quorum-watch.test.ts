import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { TIMING_PROFILES } from '../../raft/index.js';
import { QuorumWatch } from './quorum-watch.js';

interface Line {
  level: number;
  msg: string;
}

let raft: EventEmitter & { silent: string[] };
let lines: Line[];

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  raft = Object.assign(new EventEmitter(), { silent: [] as string[] });
  const members = ['a', 'b', 'c', 'd'].map((id) => ({ id, voter: id !== 'd' }));
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) });
  new QuorumWatch({
    logger,
    raft: Object.assign(raft, {
      nodeId: 'a',
      timing: TIMING_PROFILES.lan,
      status: () => ({ configuration: { index: 1, configuration: { members } } }),
      peerTroubles: () =>
        raft.silent.map((peer) => ({ peer, traffic: 'life', reason: 'connection refused', forMs: 1 })),
    }) as never,
  });
});

afterEach(() => void jest.useRealTimers());

const leaderIs = (leader: string | null): boolean =>
  raft.emit('role', { role: 'follower', term: 1, leader, reason: '' });

/** It becomes a candidate ten times a second for some time. */
function standing(forMs: number): void {
  for (let atMs = 0; atMs < forMs; atMs += 100) {
    jest.advanceTimersByTime(100);
    raft.emit('electionStarted', { cause: 'retry', term: 2, prevote: true });
  }
}

it('reports a lost quorum as one error that says who is missing, and its return in one line', () => {
  leaderIs('b');
  raft.silent = ['b', 'c', 'd'];
  leaderIs(null);
  const since = new Date().toISOString();
  standing(800);
  expect(lines).toEqual([]);
  standing(60_000);
  expect(lines).toEqual([
    expect.objectContaining({
      level: 50,
      code: 'no-quorum',
      // The non-voter is not missing.
      missing: ['b', 'c'].map((id) => ({ id, reason: 'connection refused' })),
      since,
      remedy: expect.stringContaining('bring back the voters'),
      msg: 'no quorum: 1 of 3 voters answers, no block is committed; missing: b, c',
    }),
  ]);
  leaderIs('c');
  expect(lines.slice(1)).toEqual([
    expect.objectContaining({
      level: 40,
      leader: 'c',
      afterMs: 60_800,
      msg: expect.stringContaining('is back'),
    }),
  ]);
  leaderIs(null);
  standing(60_000);
  expect(lines).toHaveLength(3);
});

it('does not report a lost quorum during an election among a majority, however long that takes', () => {
  leaderIs('b');
  raft.silent = ['b'];
  leaderIs(null);
  standing(60_000);
  leaderIs('c');
  expect(lines).toEqual([]);
});

it('does not report a lost quorum in a cluster that has not had a leader yet', () => {
  raft.silent = ['b', 'c'];
  leaderIs(null);
  standing(60_000);
  expect(lines).toEqual([]);
});
