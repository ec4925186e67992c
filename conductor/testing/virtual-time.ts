import { jest } from '@jest/globals';

/** As that of `node:timers/promises`, but by the global timer, which tests replace. */
function sleep<T>(ms: number, value: T, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(new DOMException('The operation was aborted', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve(value);
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}

/**
 * Replaces clock, timers and sleeps until `jest.useRealTimers()`: time passes only in `jest.advanceTimersByTimeAsync`.
 * jest's own replacement does not cover `node:timers/promises`, so a test imports the code under test after this call.
 */
export function useVirtualTime(): void {
  jest.unstable_mockModule('node:timers/promises', () => ({ setTimeout: sleep }));
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
}
