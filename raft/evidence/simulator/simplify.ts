import { generousLimits, type SimulationOptions } from './options.js';
import { simplifiedBy, zeroWeights, type Simplification } from './simplification.js';

/** What can be removed from a cluster to see whether a failure needs it. Each has a name for the command line. */
export const simplifications: Readonly<Record<string, Simplification<SimulationOptions>>> = {
  rounds: (options) => void (options.rounds = 1),
  'fifth-voter': (options) => void (options.cluster.voters = Math.min(4, options.cluster.voters)),
  'fourth-voter': (options) => void (options.cluster.voters = Math.min(3, options.cluster.voters)),
  'third-voter': (options) => void (options.cluster.voters = Math.min(2, options.cluster.voters)),
  spares: (options) => void (options.cluster.spares = 0),
  growth: (options) => void (options.cluster.growFromOne = false),
  ...zeroWeights<SimulationOptions, SimulationOptions['faults']['weights']>(
    '',
    (options) => options.faults.weights,
    [
      'crash',
      'crashAll',
      'pause',
      'partition',
      'clog',
      'suspend',
      'slowDisk',
      'diskFull',
      'loseDisk',
      'outliveDisk',
      'goBack',
      'clockLeap',
      'clockDrift',
      'usurp',
      'strand',
      'hinder',
      'slowMajority',
    ],
  ),
  'crash-around-write': ({ faults }) => void (faults.crashAroundWriteChance = 0),
  'crash-after-vote': ({ faults }) => void (faults.crashAfterVoteChance = 0),
  'write-errors': ({ faults }) => void (faults.writeErrorChance = 0),
  'torn-writes': ({ faults }) => void (faults.tornWriteChance = 0),
  'unfinished-writes': ({ disk }) => void (disk.keepUnfinishedChance = 0),
  'slow-disks': ({ disk }) => void (disk.writeMeanMs = Math.min(0.5, disk.writeMeanMs)),
  loss: ({ network }) => void (network.lossChance = 0),
  duplicates: ({ network }) => void (network.duplicateChance = 0),
  'late-messages': ({ network }) => void (network.spikeChance = 0),
  'late-responses': ({ network }) => void (network.lateResponses = false),
  reordering: ({ network }) => void (network.fifo = true),
  'slow-network': ({ network }) => {
    network.delayMeanMs = Math.min(0.5, network.delayMeanMs);
    network.bytesPerMs = 100_000;
  },
  refusals: ({ network }) => void (network.refusals = false),
  evidence: ({ network }) => void (network.evidence = false),
  'clock-rates': ({ clock }) => void (clock.rateSpread = 0),
  'late-timers': ({ clock }) => void (clock.timerLatenessMaxMs = 0),
  'slow-application': ({ application }) => void (application.applyMeanMs = 0.1),
  compaction: ({ application }) => void (application.compactEvery = Infinity),
  'tiny-limits': (options) => void (options.limits = generousLimits()),
  'big-proposals': ({ workload }) => void (workload.proposalBytesMax = 8),
  ...zeroWeights<SimulationOptions, SimulationOptions['workload']['weights']>(
    'ask-',
    (options) => options.workload.weights,
    ['read', 'transfer', 'membership', 'eligibility', 'repair'],
  ),
  'lasting-faults': ({ healing }) => void (healing.keepBrokenChance = 0),
  'restarts-of-all': ({ healing }) => void (healing.restartAllChance = 0),
  failovers: ({ healing }) => void (healing.failoverChance = 0),
};

/** The options without all that. @throws Error for an unknown name */
export const simplified = (options: SimulationOptions, without: readonly string[]): SimulationOptions =>
  simplifiedBy(simplifications, options, without);
