import type { HealthCode } from '../../health/health-report.js';

/**
 * How fit a node is to sequence, best last. Every conductor tells the leader with each heartbeat.
 *
 * - unfit: it cannot sequence at all (node unreachable, conductor paused or stopping, nothing known yet)
 * - impaired: it could, but something is wrong (too few peers)
 * - stale: only its head is old, as in a whole cluster that stood still
 * - fit: healthy
 */
export const Fitness = { unfit: 0, impaired: 1, stale: 2, fit: 3 } as const;
export type Fitness = (typeof Fitness)[keyof typeof Fitness];

/** Blocks behind the committed head that are told apart. */
const LAG_MAX = 999_999;
/** Blocks that a node in good health is behind while gossip is on its way: no reason to prefer another. */
const ORDINARY_LAG = 2;

/** @param health undefined before the first check */
export function fitness(
  health: HealthCode | undefined,
  nodeReachable: boolean,
  mayControl: boolean,
): Fitness {
  if (!mayControl || !nodeReachable || health === undefined) return Fitness.unfit;
  switch (health) {
    case 'ok':
      return Fitness.fit;
    case 'unsafe-head-old':
      return Fitness.stale;
    case 'too-few-peers':
      return Fitness.impaired;
    case 'node-unreachable':
      return Fitness.unfit;
  }
}

/** One number for Raft, greater is better, 0 is unfit: fitness first, then closeness to the committed head. */
export function encodeEligibility(level: Fitness, lagBlocks: number): number {
  if (level === Fitness.unfit) return 0;
  const lag = lagBlocks <= ORDINARY_LAG ? 0 : lagBlocks;
  return level * (LAG_MAX + 1) + LAG_MAX - Math.min(lag, LAG_MAX);
}

export function fitnessOf(eligibility: number): Fitness {
  return Math.min(Math.floor(eligibility / (LAG_MAX + 1)), Fitness.fit) as Fitness;
}
