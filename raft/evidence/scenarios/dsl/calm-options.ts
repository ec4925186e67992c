import type { Limits } from '../../../core/options.js';
import type { Timing } from '../../../core/timing.js';
import { LAN_TIMING, SMALL_LIMITS } from '../../../testing/options.js';
import type { SimulationOptions } from '../../simulator/options.js';

export interface ClusterOptions {
  /** Voters of the first configuration; 3 by default. */
  voters?: number;
  /** Further nodes that run and belong to no cluster yet. */
  spares?: number;
  timing?: Partial<Timing>;
  limits?: Partial<Limits>;
  /** No node runs yet: the scenario starts them. */
  stopped?: boolean;
}

export const TIMING = LAN_TIMING;

const LIMITS: Limits = { ...SMALL_LIMITS, uncommittedEntriesMax: 20 };

/** A message takes 1 ms, a write 0.5 ms, and nothing breaks unless the scenario breaks it. */
export function calmOptions({ voters = 3, spares = 0, timing, limits }: ClusterOptions): SimulationOptions {
  return {
    cluster: { voters, spares, growFromOne: false },
    timing: { ...TIMING, ...timing },
    limits: { ...LIMITS, ...limits },
    network: {
      delayMinMs: 1,
      delayMeanMs: 0,
      spikeChance: 0,
      spikeMeanMs: 0,
      lossChance: 0,
      duplicateChance: 0,
      fifo: true,
      bytesPerMs: Infinity,
      lateResponses: true,
      refusals: false,
      evidence: false,
      tellsProgress: false,
    },
    disk: { writeMinMs: 0.5, writeMeanMs: 0, keepUnfinishedChance: 0 },
    clock: { rateSpread: 0, timerLatenessMaxMs: 0 },
    application: { applyMeanMs: 0, compactEvery: Infinity },
    faults: {
      meanIntervalMs: Infinity,
      weights: {
        crash: 0,
        crashAll: 0,
        pause: 0,
        partition: 0,
        clog: 0,
        suspend: 0,
        slowDisk: 0,
        diskFull: 0,
        loseDisk: 0,
        outliveDisk: 0,
        goBack: 0,
        clockLeap: 0,
        clockDrift: 0,
        usurp: 0,
        strand: 0,
        hinder: 0,
        slowMajority: 0,
      },
      leaderBias: 0,
      crashAroundWriteChance: 0,
      crashAfterVoteChance: 0,
      writeErrorChance: 0,
      tornWriteChance: 0,
      downMeanMs: 0,
      pauseMeanMs: 0,
      pauseStopsClock: false,
      pauseUnnoticed: false,
      timersFirst: false,
      partitionMeanMs: 0,
      slowDiskMeanMs: 0,
      slowDiskFactor: 1,
    },
    workload: {
      meanIntervalMs: Infinity,
      weights: { propose: 0, read: 0, transfer: 0, membership: 0, eligibility: 0, repair: 0 },
      proposalBytesMax: 0,
      strayChance: 0,
    },
    rounds: 1,
    healing: {
      keepBrokenChance: 0,
      writeMeanInTimeouts: 0,
      restartAllChance: 0,
      failoverChance: 0,
      keepHinderedChance: 0,
      slowMajorityChance: 0,
    },
    freezeMessages: true,
  };
}
