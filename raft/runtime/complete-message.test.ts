import { describe, expect, it } from '@jest/globals';
import type { Entry, LoadedEntry } from '../core/entries.js';
import type { AppendRequest } from '../core/messages.js';
import type { Storage } from '../storage/storage.js';
import { isComplete, withData } from './complete-message.js';

const loaded = (index: number, term: number): LoadedEntry => ({
  ...{ index, term, kind: 'command', byteLength: 1, crc: 0, chainHash: index },
  data: Uint8Array.of(index),
});

/** An entry as the core keeps it once it is on disk. */
const evicted = (index: number, term: number): Entry => ({ ...loaded(index, term), data: undefined });

const append = (entries: AppendRequest['entries']): AppendRequest => ({
  ...{ type: 'append', term: 3, requestId: 1, prevIndex: 4, prevTerm: 2, prevHash: 4, commit: 4 },
  entries,
});

/** The log as the disk has it now. */
const diskWith = (...entries: LoadedEntry[]): Storage =>
  ({
    readEntries: async (from: number, to: number) =>
      entries.filter(({ index }) => index >= from && index <= to),
  }) as unknown as Storage;

describe('a message', () => {
  it('is complete with all its data, or if it carries none', () => {
    expect(isComplete(append([loaded(5, 2), loaded(6, 2)]))).toBe(true);
    expect(isComplete(append([]))).toBe(true);
    expect(isComplete(append([evicted(5, 2), loaded(6, 2)]))).toBe(false);
  });

  it('gets the data that only the disk has, and keeps the rest', async () => {
    const message = append([evicted(5, 2), evicted(6, 2), loaded(7, 3)]);
    const disk = diskWith(loaded(5, 2), loaded(6, 2), loaded(7, 9));
    expect(await withData(message, disk)).toEqual(append([loaded(5, 2), loaded(6, 2), loaded(7, 3)]));
  });

  it('is void when the log was cut and continues with entries of another term', async () => {
    const disk = diskWith(loaded(5, 2), loaded(6, 3));
    await expect(withData(append([evicted(5, 2), evicted(6, 2)]), disk)).rejects.toThrow('the log was cut');
  });

  it('is void when the log ends before it', async () => {
    const disk = diskWith(loaded(5, 2));
    await expect(withData(append([evicted(5, 2), evicted(6, 2)]), disk)).rejects.toThrow('the log was cut');
  });
});
