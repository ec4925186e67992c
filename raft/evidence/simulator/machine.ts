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

/** A machine as its parts and the world around it know it. */
export interface Machine extends ObservedNode {
  readonly process: Process | null;
  /** What the disk held can no longer be trusted: a process that is started refuses. */
  diskIsLost: boolean;
  diskIsFull: boolean;
  /** Writes take this many times longer. */
  diskFactor: number;
  /** Takes a snapshot of the volume, to which the disk may go back later. */
  keepCopy(): void;
  /** Takes the stimulus at once, or when a pause ends. */
  receive(stimulus: Stimulus): void;
}
