import type { Successor, View } from '../control/decide.js';
import { encodeEligibility, Fitness } from '../control/eligibility.js';

/** Every level of fitness, worst first. */
export const LEVELS = [Fitness.unfit, Fitness.impaired, Fitness.stale, Fitness.partial, Fitness.fit] as const;

/** A voter that answers the leader. */
export const successor = (id: string, fitness: Fitness, lagBlocks = 0, priority = 0): Successor => ({
  id,
  fitness,
  eligibility: encodeEligibility(fitness, lagBlocks),
  lagBlocks,
  priority,
  avoided: false,
});

/** A healthy follower, changed as given. */
export function viewOf(changes: Partial<View> = {}): View {
  const level = changes.fitness ?? Fitness.fit;
  return {
    paused: false,
    halted: false,
    stopping: false,
    witness: false,
    belongsToCluster: true,
    role: 'follower',
    sequencerActive: false,
    mustStop: undefined,
    compared: true,
    stray: false,
    left: false,
    fitness: level,
    eligibility: encodeEligibility(level, changes.lagBlocks ?? 0),
    lagBlocks: 0,
    healthReason: 'its health is bad',
    progressing: false,
    transferring: false,
    stuck: false,
    historyTooShort: false,
    lagging: false,
    preferred: undefined,
    successors: [],
    ...changes,
  };
}
