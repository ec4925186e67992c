/** How far the exploration goes; what is not bounded here is unlimited (which message comes next, what is lost). */
export interface Bounds {
  /** Longest sequence of events. */
  depth: number;
  /** Terms after the latest one of the starting point for which a node stands. */
  elections: number;
  /** Commands that clients propose, in all. */
  proposals: number;
  /** Crashes with an immediate restart; what was being written is lost or kept. */
  crashes: number;
  /** Messages that arrive twice. */
  duplicates: number;
  /** Requests that end without an answer, and whose sender is told. */
  failures: number;
  /** Times a leader sends heartbeats of its own accord. */
  heartbeats: number;
  /** Changes of membership that somebody asks for. */
  changes: number;
  /** Logs that are shortened. */
  compactions: number;
  /** States; the exploration ends early when there are more. */
  statesMax: number;
}

export const SMALL: Bounds = {
  depth: 16,
  elections: 2,
  proposals: 1,
  crashes: 1,
  duplicates: 0,
  failures: 0,
  heartbeats: 1,
  changes: 0,
  compactions: 0,
  statesMax: Infinity,
};

/** The bounds that are used up as events happen. */
export type Budget = Pick<
  Bounds,
  'proposals' | 'crashes' | 'duplicates' | 'failures' | 'heartbeats' | 'changes' | 'compactions'
>;

export const BUDGETED = [
  'proposals',
  'crashes',
  'duplicates',
  'failures',
  'heartbeats',
  'changes',
  'compactions',
] as const satisfies readonly (keyof Budget)[];
