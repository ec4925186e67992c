/** How far the exploration goes. What has no bound here is unlimited (which message comes next, what is lost). */
export interface Bounds {
  /** Longest sequence of events. */
  depth: number;
  /** Nodes stand for at most this many terms after the latest one of the starting point. */
  elections: number;
  /** Commands that clients propose, in total. */
  proposals: number;
  /** Crashes with an immediate restart. The current write is lost or kept. */
  crashes: number;
  /** Messages that arrive twice. */
  duplicates: number;
  /** Requests that end without an answer, and whose sender learns it. */
  failures: number;
  /** Times that a leader sends heartbeats unprompted. */
  heartbeats: number;
  /** Requested changes of membership. */
  changes: number;
  /** Compactions. */
  compactions: number;
  /** States. The exploration ends early when there are more. */
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

/** The bounds that events use up. */
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
