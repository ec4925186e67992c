import type { Stimulus } from '../../core/inputs.js';
import type { Persist } from '../../core/outputs.js';
import type { ObservedNode, ObservedProcess, Pointers } from './observed-node.js';
import type { RequestDeadlines } from './request-deadlines.js';

/** What exists only while a process runs. */
export interface Process extends ObservedProcess {
  readonly requests: RequestDeadlines;
  readonly seen: Pointers;
  /** World time of the armed timer. */
  wakeAtMs: number;
  applying: boolean;
  /** Inputs that wait for the end of a pause. */
  backlog: Stimulus[];
  pausedSinceMs: number | null;
  writing: WriteUnderWay | null;
}

/** A write that the disk has begun. */
export interface WriteUnderWay {
  write: Persist;
  fails: boolean;
}

/** A machine as its parts and its world see it. */
export interface Machine extends ObservedNode {
  readonly process: Process | null;
  /** The content of the disk can no longer be trusted: a started process refuses it. */
  diskIsLost: boolean;
  diskIsFull: boolean;
  /** Writes take this many times longer. */
  diskFactor: number;
  /** Takes a snapshot of the volume, to which the disk may go back later. */
  keepCopy(): void;
  /** Processes the stimulus at once, or when a pause ends. */
  receive(stimulus: Stimulus): void;
}
