import { jest } from '@jest/globals';

/** Replaces clock and timers until `jest.useRealTimers()`: time passes only in `pass`. */
export function useVirtualTime(): void {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
}

/** Lets time pass, and all that is due in it happen. */
export function pass(ms: number): Promise<void> {
  return jest.advanceTimersByTimeAsync(ms);
}
