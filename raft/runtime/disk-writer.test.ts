import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Persist } from '../core/outputs.js';
import { DiskWriter } from './disk-writer.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const ORDER = { seq: 1 } as Persist;

it('says how long a write has been running', async () => {
  const ended: (() => void)[] = [];
  const disk = new DiskWriter({
    storage: { write: () => new Promise((resolve) => ended.push(resolve)) },
    limitMs: undefined,
    onStored: () => undefined,
    onFailed: () => undefined,
  });
  expect(disk.writingForMs).toBe(0);
  disk.persist(ORDER, false, undefined);
  await jest.advanceTimersByTimeAsync(700);
  expect(disk.writingForMs).toBe(700);
  ended[0]?.();
  await jest.advanceTimersByTimeAsync(0);
  expect(disk.writingForMs).toBe(0);
  disk.end();
});
