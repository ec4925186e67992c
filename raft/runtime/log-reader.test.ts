import { describe, expect, it } from '@jest/globals';
import { ORIGIN } from '../storage/manifest.js';
import { entriesAfter } from '../storage/testing/test-log.js';
import { LogReader } from './log-reader.js';

const LOG = entriesAfter(ORIGIN, 1, ['1', '22', '333', '4444', '55555']);

/** A log whose entries before `youngFrom` are only on disk. */
function createReader(youngFrom: number) {
  const asked: [from: number, to: number][] = [];
  const reader = new LogReader(
    (index) => {
      const entry = LOG[index - 1];
      return entry && (index < youngFrom ? { ...entry, data: undefined } : entry);
    },
    {
      readEntries: async (from, to) => {
        asked.push([from, to]);
        return LOG.slice(from - 1, to);
      },
    },
  );
  return { reader, asked };
}

const indices = (entries: { index: number }[]): number[] => entries.map(({ index }) => index);

describe('LogReader', () => {
  it('reads from memory what is there', async () => {
    const { reader, asked } = createReader(3);
    expect(indices(reader.inMemory(3, 5, Infinity))).toEqual([3, 4, 5]);
    expect(indices(reader.inMemory(4, 99, Infinity))).toEqual([4, 5]);
    expect(indices(reader.inMemory(2, 5, Infinity))).toEqual([]);
    expect(indices(await reader.read(3, 4, Infinity))).toEqual([3, 4]);
    expect(asked).toEqual([]);
  });

  it('returns at least one entry, and no more than the bytes allow', async () => {
    const { reader } = createReader(1);
    expect(indices(reader.inMemory(2, 5, 0))).toEqual([2]);
    expect(indices(reader.inMemory(2, 5, 5))).toEqual([2, 3]);
    expect(indices(await reader.read(2, 5, 8))).toEqual([2, 3]);
  });

  it('does not ask the disk for what may not be there yet', async () => {
    const { reader, asked } = createReader(4);
    expect(indices(await reader.read(2, 5, Infinity))).toEqual([2, 3]);
    expect(asked).toEqual([[2, 3]]);
  });
});
