import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RaftLog } from './log.js';
import { configurationOf, TestLog } from './testing/test-log.js';

const members = configurationOf(['a']);

function logOf(...terms: number[]): { log: RaftLog; source: TestLog } {
  const source = new TestLog(members, terms);
  const log = RaftLog.fromSnapshot(null, []);
  for (const entry of source.entries) log.append(entry);
  return { log, source };
}

describe('the log', () => {
  it('finds terms, at the snapshot too, and says so when it cannot', () => {
    const { log, source } = logOf(2, 2, 3);
    log.compactTo(source.at(2));
    expect([0, 1, 2, 3, 4, 5].map((index) => log.termAt(index))).toEqual([
      undefined,
      undefined,
      2,
      2,
      3,
      undefined,
    ]);
    expect(log).toMatchObject({ snapshotIndex: 2, lastIndex: 4, lastTerm: 3 });
  });

  it('finds the ends of terms for conflict hints', () => {
    const { log } = logOf(2, 2, 2, 5, 5);
    expect(log.firstIndexOfTermAt(4)).toBe(2);
    expect(log.lastIndexWithTermAtMost(4, 6)).toBe(4);
    expect(log.lastIndexWithTermAtMost(5, 99)).toBe(6);
    expect(log.lastIndexWithTermAtMost(0, 6)).toBe(0);
  });

  it('does not look for conflicts inside the snapshot', () => {
    const { log, source } = logOf(2, 2, 2);
    log.compactTo(source.at(2));
    expect(log.firstIndexOfTermAt(4)).toBe(3);
    expect(log.lastIndexWithTermAtMost(1, 4)).toBe(2);
  });

  it('cuts slices by bytes, but never to nothing', () => {
    const { log } = logOf(1, 1, 1);
    expect(log.slice(2, 4).map(({ index }) => index)).toEqual([2, 3]);
    expect(log.slice(2, 0).map(({ index }) => index)).toEqual([2]);
    expect(log.slice(5, 100)).toEqual([]);
  });

  it('refuses gaps, falling terms and broken chains (I3)', () => {
    const { log } = logOf(2);
    expect(() => log.append(new TestLog(members, [2, 2, 2]).at(4))).toThrow(/append of 4 after 2/);
    expect(() => log.append(new TestLog(members, [1, 1]).at(3))).toThrow(/term 1 after 2/);
    expect(() => log.append(new TestLog(members, [1, 2]).at(3))).toThrow(/chain hash/);
  });

  it('behaves like a plain list under appends, cuts, compactions and evictions', () => {
    const action = fc.record({
      kind: fc.constantFrom('append', 'append', 'append', 'truncate', 'compact', 'evict'),
      at: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const { log, source } = logOf();
        let first = 1;
        for (const { kind, at } of actions) {
          const last = source.lastIndex;
          if (kind === 'append') {
            source.add(1);
            log.append(source.at(last + 1));
          } else if (kind === 'truncate') {
            const from = Math.max(first, Math.min(at, last + 1));
            source.entries.splice(from - 1);
            log.truncateFrom(from);
          } else if (kind === 'compact' && at >= first && at <= last) {
            log.compactTo(source.at(at));
            first = at + 1;
          } else if (kind === 'evict') {
            log.evict(at, last);
          }
          const kept = source.entries.slice(first - 1);
          expect(log.lastIndex).toBe(source.lastIndex);
          expect(log.slice(first, 1e9).map(({ chainHash }) => chainHash)).toEqual(
            kept.map(({ chainHash }) => chainHash),
          );
          expect(log.totalBytes).toBe(kept.reduce((sum, { byteLength }) => sum + byteLength, 0));
          if (kind !== 'evict') continue;
          const cached = log.slice(first, 1e9).filter(({ data }) => data);
          expect(cached.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThanOrEqual(at);
        }
      }),
    );
  });
});
