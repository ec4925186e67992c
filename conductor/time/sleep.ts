import { setTimeout } from 'node:timers/promises';

/** Waits for this long; rejects as soon as `signal` fires. Tests have one that follows their clock. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** By the real clock. */
export const sleep: Sleep = (ms, signal) => setTimeout(ms, undefined, { signal });
