import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ElectionCause } from '../core/outputs.js';
import { CoreEventLog } from './core-event-log.js';
import { recordingLogger } from './testing/recording-logger.js';

let lines: { level: string; cause: ElectionCause; retries?: number }[];
let nowMs: number;
let log: CoreEventLog;

beforeEach(() => {
  nowMs = 0;
  const recorded = recordingLogger<(typeof lines)[number]>();
  lines = recorded.lines;
  log = new CoreEventLog(recorded.logger, () => nowMs);
});

const stands = (cause: ElectionCause, prevote = true): void =>
  log.note({ type: 'electionStarted', term: 7, cause, prevote });

describe('CoreEventLog', () => {
  it('a leader without progress logs what each voter lacks, and what it does', () => {
    const obstacles = [{ node: 'b', what: 'link' as const, failure: 'timeout' }];
    const rest = { index: 7, obstacles, then: 'step-down' as const, successor: null };
    log.note({ type: 'noWork', forMs: 1200.4, ...rest });
    expect(lines).toMatchObject([{ level: 'warn', forMs: 1200, ...rest }]);
  });

  it('a newcomer that catches up with old memberships says the last one', async () => {
    const configured = (index: number): void =>
      log.note({ type: 'configuration', index, configuration: { members: [] }, reason: 'from a' });
    for (let index = 1; index <= 13; index++) configured(index);
    await Promise.resolve();
    configured(20);
    await Promise.resolve();
    expect(lines).toMatchObject([{ index: 13 }, { index: 20 }]);
  });

  it('a node without a majority logs every ten seconds that it asks again, and how often it did', () => {
    stands('timeout');
    for (; nowMs < 60_000; nowMs += 100) stands('retry');
    expect(lines.map(({ cause, retries }) => [cause, retries])).toEqual([
      ['timeout', undefined],
      ['retry', 101],
      ['retry', 201],
      ['retry', 301],
      ['retry', 401],
      ['retry', 501],
    ]);
  });

  it('logs each time that it stands for another reason', () => {
    stands('timeout');
    stands('retry');
    stands('retry', false);
    stands('leader-gone');
    stands('retry');
    stands('transfer', false);
    expect(lines.map(({ cause }) => cause)).toEqual(['timeout', 'retry', 'leader-gone', 'transfer']);
    expect(lines.every(({ level }) => level === 'info')).toBe(true);
  });
});
