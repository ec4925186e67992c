import { describe, expect, it } from '@jest/globals';
import type { LoadedEntry } from '../core/entries.js';
import { ORIGIN } from '../storage/manifest.js';
import { entriesAfter, snapshotAt } from '../storage/testing/test-log.js';
import { Applier } from './applier.js';
import { RecordingMachine } from './testing/recording-machine.js';

const LOG = entriesAfter(ORIGIN, 1, ['a', 'b', 'c', 'd', 'e']);

/** A log whose reads from disk the test answers. */
function createDisk() {
  const reads: { from: number; to: number; end: (entries: LoadedEntry[] | Error) => void }[] = [];
  const read = (from: number, to: number): Promise<LoadedEntry[]> =>
    new Promise((resolve, reject) => {
      const end = (result: LoadedEntry[] | Error): void =>
        result instanceof Error ? reject(result) : resolve(result);
      reads.push({ from, to, end });
    });
  return { reads, read };
}

function createApplier(cachedFrom = 1) {
  const machine = new RecordingMachine();
  const { reads, read } = createDisk();
  const applier = new Applier(machine, {
    inMemory: (from, to) => (from < cachedFrom ? [] : LOG.slice(from - 1, to)),
    read,
  });
  return { machine, reads, applier };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Applier', () => {
  it('applies at once what is in memory, in order and only once', async () => {
    const { machine, applier } = createApplier();
    void applier.advance(2);
    expect(machine.commands).toEqual(['a', 'b']);
    await applier.advance(2);
    await applier.advance(5);
    expect(machine.commands).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(applier.appliedIndex).toBe(5);
  });

  it('reads the rest from disk, in as many pieces as the disk returns', async () => {
    const { machine, reads, applier } = createApplier(4);
    const done = applier.advance(5);
    expect(reads[0]).toMatchObject({ from: 1, to: 5 });
    reads[0]?.end(LOG.slice(0, 2));
    await turn();
    expect(machine.commands).toEqual(['a', 'b']);
    reads[1]?.end(LOG.slice(2, 3));
    expect(await done).toBe(true);
    expect(machine.commands).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(reads).toHaveLength(2);
  });

  it('runs once at a time: the running call also applies what is committed meanwhile', async () => {
    const { machine, reads, applier } = createApplier(3);
    const first = applier.advance(2);
    expect(await applier.advance(4)).toBe(false);
    reads[0]?.end(LOG.slice(0, 2));
    expect(await first).toBe(true);
    expect(machine.commands).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives each result to its waiting caller', async () => {
    const { applier } = createApplier();
    const results: unknown[] = [];
    applier.awaitResult(2, (applied) => results.push(applied));
    await applier.advance(3);
    expect(results).toEqual([{ result: 2 }]);
  });

  it('wakes callers that wait for an index', async () => {
    const { applier } = createApplier();
    const order: number[] = [];
    const waits = [3, 1].map((index) => applier.whenApplied(index).then(() => order.push(index)));
    await applier.advance(2);
    await waits[1];
    expect(order).toEqual([1]);
    await applier.advance(3);
    await waits[0];
    await applier.whenApplied(2);
  });

  it.each([
    ['what it reads comes late', LOG.slice(0, 2)],
    ['the disk no longer has it', new Error('not in log')],
  ])('goes on from a snapshot that replaces the log when %s', async (_name, read) => {
    const { machine, reads, applier } = createApplier(4);
    const lost: unknown[] = [];
    applier.awaitResult(2, (applied) => lost.push(applied));
    const done = applier.advance(2);
    const snapshot = snapshotAt(LOG[2] as LoadedEntry, JSON.stringify({ commands: ['from snapshot'] }));
    applier.restore(snapshot);
    expect(lost).toEqual([undefined]);
    reads[0]?.end(read);
    await done;
    expect(machine.commands).toEqual(['from snapshot']);
    await applier.advance(4);
    expect(machine.commands).toEqual(['from snapshot', 'd']);
  });

  it('fails when the disk does', async () => {
    const { reads, applier } = createApplier(4);
    const done = applier.advance(2);
    reads[0]?.end(new Error('EIO'));
    await expect(done).rejects.toThrow('EIO');
  });

  it('applies nothing after its end, and wakes all callers', async () => {
    const { machine, reads, applier } = createApplier(3);
    const lost: unknown[] = [];
    applier.awaitResult(1, (applied) => lost.push(applied));
    const waiting = applier.whenApplied(1);
    void applier.advance(2);
    applier.end();
    await waiting;
    await applier.whenApplied(5);
    expect(lost).toEqual([undefined]);
    reads[0]?.end(LOG.slice(0, 2));
    await turn();
    expect(machine.commands).toEqual([]);
  });
});
