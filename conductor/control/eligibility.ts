import type { HealthCode, HealthReason } from '../../health/health-report.js';

/**
 * How fit a node is to sequence, best last. Every conductor tells the leader with each heartbeat.
 *
 * - unfit: it cannot sequence at all (node unreachable, conductor paused or stopping, nothing known yet)
 * - impaired: it could, but something is wrong (too few peers, a client on another branch)
 * - stale: only its head is old, as in a whole cluster that had stopped
 * - partial: it sequences without its external builder (op-conductor #15874: healthy before partial before unhealthy)
 * - fit: healthy, or with faults that are tolerated
 */
export const Fitness = { unfit: 0, impaired: 1, stale: 2, partial: 3, fit: 4 } as const;
export type Fitness = (typeof Fitness)[keyof typeof Fitness];

/** Blocks behind the committed head that are distinguished. */
const LAG_MAX = 999_999;
/** Of a node on another branch, which no number of blocks separates from the head: it comes after all others. */
export const LAG_OF_OTHER_BRANCH = LAG_MAX;
/** Blocks that a healthy node may be behind while gossip is on its way: not a reason to prefer another. */
const ORDINARY_LAG = 2;

/**
 * One failed check may be a glitch; two in a row are not. A leader keeps leadership through one, but does not transfer
 * it to a node whose last check failed: nodes notice a fault of the whole network one after the other, and leadership
 * would run ahead of it.
 */
export const Strikes = { toLeave: 2, toStayAway: 1 } as const;

const FITNESS_WITH: Readonly<Record<HealthCode, Fitness>> = {
  'node-unreachable': Fitness.unfit,
  'other-branch': Fitness.impaired,
  'conductor-disabled': Fitness.unfit,
  'commits-refused': Fitness.impaired,
  'unsafe-head-old': Fitness.stale,
  'safe-head-old': Fitness.impaired,
  'too-few-peers': Fitness.impaired,
  'execution-unreachable': Fitness.impaired,
  'too-few-execution-peers': Fitness.impaired,
  'rollup-boost-unreachable': Fitness.impaired,
  'rollup-boost-partial': Fitness.partial,
  'rollup-boost-unhealthy': Fitness.impaired,
};

/**
 * @param reasons what is wrong by the last health check; undefined before the first
 * @param strikes bad checks in a row that count
 */
export function fitness(
  reasons: readonly HealthReason[] | undefined,
  nodeReachable: boolean,
  mayControl: boolean,
  strikes: number,
): Fitness {
  if (!mayControl || !nodeReachable || reasons === undefined) return Fitness.unfit;
  const levels = reasons
    .filter(({ severity, failures = strikes }) => severity === 'unhealthy' && failures >= strikes)
    .map(({ code }) => FITNESS_WITH[code]);
  return Math.min(Fitness.fit, ...levels) as Fitness;
}

/** One number for Raft, greater is better, 0 is unfit: fitness first, then closeness to the committed head. */
export function encodeEligibility(level: Fitness, lagBlocks: number): number {
  if (level === Fitness.unfit) return 0;
  const lag = lagBlocks <= ORDINARY_LAG ? 0 : lagBlocks;
  return level * (LAG_MAX + 1) + LAG_MAX - Math.min(lag, LAG_MAX);
}

/** Blocks that the node is behind, 0 for an ordinary lag. Meaningless for an unfit one. */
export function lagOf(eligibility: number): number {
  return LAG_MAX - (eligibility % (LAG_MAX + 1));
}

export function fitnessOf(eligibility: number): Fitness {
  return Math.min(Math.floor(eligibility / (LAG_MAX + 1)), Fitness.fit) as Fitness;
}
