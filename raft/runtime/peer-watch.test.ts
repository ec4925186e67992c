import { beforeEach, describe, expect, it } from '@jest/globals';
import { PeerWatch } from './peer-watch.js';
import { recordingLogger } from './testing/recording-logger.js';

interface Line {
  level: string;
  msg: string;
  peer: string;
  reason?: string;
  forMs?: number;
  afterMs?: number;
}

const HEARTBEAT = { type: 'heartbeat' } as const;
const ENTRIES = { type: 'append', entries: [{}] } as const;

let lines: Line[];
let nowMs: number;
let watch: PeerWatch;

beforeEach(() => {
  nowMs = 0;
  const recorded = recordingLogger<Line>('debug');
  lines = recorded.lines;
  watch = new PeerWatch(recorded.logger, () => nowMs);
});

/** Two requests every 50 ms, both unanswered. */
function silence(peer: string, forMs: number): void {
  for (const endMs = nowMs + forMs; nowMs < endMs; nowMs += 50) {
    watch.failed(peer, HEARTBEAT, 'heartbeat: refused');
    watch.failed(peer, ENTRIES, 'append: refused');
  }
}

const answered = (peer: string): void => {
  watch.answered(peer, HEARTBEAT);
  watch.answered(peer, ENTRIES);
};

const told = (): Line[] => lines.filter(({ level }) => level !== 'debug');

describe('PeerWatch', () => {
  it('reports the beginning and the end of a silence, and each failure once', () => {
    silence('b', 3_600_000);
    expect(told()).toMatchObject([
      { level: 'warn', peer: 'b', reason: 'heartbeat: refused', forMs: 1000, msg: 'a peer does not answer' },
    ]);
    expect(lines).toHaveLength(3);
    answered('b');
    answered('b');
    expect(told()[1]).toMatchObject({ level: 'info', peer: 'b', afterMs: 3_600_000 });
    expect(told()).toHaveLength(2);
  });

  it('does not report brief failures, nor peers that are no longer asked', () => {
    for (let i = 0; i < 10; i++) {
      silence('b', 900);
      answered('b');
    }
    silence('c', 2000);
    watch.forget();
    answered('c');
    expect(told().map(({ peer, level }) => [peer, level])).toEqual([['c', 'warn']]);
  });

  it('keeps only a few reasons of a peer that fails with ever new texts', () => {
    for (let i = 0; i < 1000; i++) watch.failed('b', ENTRIES, `after ${i} ms`);
    expect(lines.length).toBeLessThan(10);
  });

  it('reports a peer that answers heartbeats but accepts no entries, and where it fails', () => {
    const failure = { phase: 'send' as const, to: '10.0.0.2:50050', noProgressMs: 1000 };
    for (; nowMs < 5000; nowMs += 50) {
      watch.answered('b', HEARTBEAT);
      // The search for the common point of the logs gets through as well.
      watch.answered('b', { type: 'append', entries: [] });
      watch.failed('b', ENTRIES, 'append: no answer', failure);
    }
    expect(told()).toMatchObject([
      { level: 'warn', peer: 'b', failure, forMs: 1000, msg: 'a peer answers but accepts no entries' },
    ]);
    expect(watch.troubles()).toEqual([
      { peer: 'b', traffic: 'work', forMs: 5000, reason: 'append: no answer', failure },
    ]);
    watch.answered('b', ENTRIES);
    expect(told()[1]).toMatchObject({ level: 'info', peer: 'b', msg: 'the peer accepts entries again' });
    expect(watch.troubles()).toEqual([]);
  });

  it('tells peers apart', () => {
    silence('b', 800);
    silence('c', 800);
    expect(told()).toEqual([]);
    silence('b', 50);
    expect(told()).toMatchObject([{ peer: 'b' }]);
  });
});
