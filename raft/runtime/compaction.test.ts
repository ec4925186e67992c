import { describe, expect, it } from '@jest/globals';
import { compactionTarget } from './compaction.js';

interface Log {
  snapshotIndex: number;
  /** Bytes of each entry after the snapshot. */
  sizes: number[];
  appliedIndex: number;
  durableIndex?: number;
}

function targetOf(
  { snapshotIndex, sizes, appliedIndex, durableIndex }: Log,
  bytesMax: number,
  entriesMax: number,
) {
  const lastIndex = snapshotIndex + sizes.length;
  const core = {
    logExtent: () => ({
      snapshotIndex,
      lastIndex,
      durableIndex: durableIndex ?? lastIndex,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
    }),
    entry: (index: number) => {
      const byteLength = sizes[index - snapshotIndex - 1];
      return byteLength === undefined ? undefined : ({ byteLength } as never);
    },
  };
  return compactionTarget(core, appliedIndex, { bytesMax, entriesMax });
}

const tens = (count: number): number[] => Array.from({ length: count }, () => 10);

describe('compactionTarget', () => {
  it.each<[string, Log, number, number, number | undefined]>([
    ['an empty log', { snapshotIndex: 0, sizes: [], appliedIndex: 0 }, 100, 100, undefined],
    ['a log within its bounds', { snapshotIndex: 5, sizes: tens(10), appliedIndex: 15 }, 100, 10, undefined],
    ['one byte too many', { snapshotIndex: 0, sizes: [1, ...tens(10)], appliedIndex: 11 }, 100, 99, 4],
    ['one entry too many', { snapshotIndex: 20, sizes: tens(11), appliedIndex: 31 }, 1e6, 10, 24],
    ['both, the stricter counts', { snapshotIndex: 0, sizes: tens(20), appliedIndex: 20 }, 100, 4, 17],
    [
      'a full log of which little is applied',
      { snapshotIndex: 0, sizes: tens(20), appliedIndex: 3 },
      100,
      99,
      2,
    ],
    ['nothing applied', { snapshotIndex: 7, sizes: tens(20), appliedIndex: 7 }, 100, 99, undefined],
    ['only one applied', { snapshotIndex: 7, sizes: tens(20), appliedIndex: 8 }, 100, 99, undefined],
    [
      'little of it on disk',
      { snapshotIndex: 0, sizes: tens(20), appliedIndex: 20, durableIndex: 4 },
      100,
      99,
      4,
    ],
    [
      'one giant entry, which is the head',
      { snapshotIndex: 0, sizes: [500], appliedIndex: 1 },
      100,
      99,
      undefined,
    ],
    ['a giant entry before the head', { snapshotIndex: 0, sizes: [500, 10], appliedIndex: 2 }, 100, 99, 1],
    ['a giant head', { snapshotIndex: 0, sizes: [10, 10, 500], appliedIndex: 3 }, 100, 99, 2],
  ])('%s', (_name, log, bytesMax, entriesMax, expected) => {
    expect(targetOf(log, bytesMax, entriesMax)).toBe(expected);
  });

  it('leaves room, so that the next entries do not cause the next compaction', () => {
    const target = targetOf({ snapshotIndex: 0, sizes: tens(1001), appliedIndex: 1001 }, 10_000, 5000) ?? 0;
    const left = 1001 - target;
    expect(left * 10).toBeLessThanOrEqual(7500);
    expect(left).toBeGreaterThan(700);
  });
});
