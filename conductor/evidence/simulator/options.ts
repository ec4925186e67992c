import { TIMING_PROFILES, type ClusterTiming } from '../../../raft/index.js';
import { Prng } from '../../../raft/testing/prng.js';
import type { LinkOptions } from './cluster/links.js';

/** What distinguishes one simulated cluster from another. */
export interface SimulationOptions {
  nodes: number;
  /** The last machine is a witness: it has neither op-node nor execution client. */
  witness: boolean;
  blockTimeS: number;
  timing: ClusterTiming;
  /** The chain from before this log: its height, and how many blocks each node is behind. */
  past: { height: number; behind: readonly number[] };
  /** The cluster is founded so long after its processes were started, and one sequencer runs by then; 0: at once, and none. */
  foundedAfterMs: number;
  conductor: {
    healthIntervalMs: number;
    unsafeIntervalS: number;
    roundRobin: boolean;
    crashEvidence: boolean;
    retainedEntries: number;
  };
  disk: { writeMeanMs: number; survivesDeathChance: number };
  raftLinks: LinkOptions;
  gossip: LinkOptions;
  node: {
    /** One way, between a conductor and its op-node. */
    callMeanMs: number;
    importMeanMs: number;
    /** Time until op-node notices that its execution client has another chain. */
    noticeMeanMs: number;
    /** rollup-boost seals another block each time. */
    sealsAnewChance: number;
    losesPostChance: number;
    /** The answer to a commit is cut off. */
    losesAnswerChance: number;
    /** A restarted op-node sequences at once. */
    activeAtStartChance: number;
    transactionBytesMax: number;
    l1Confirmations: number;
  };
  l1: { blockTimeMs: number; seenWithinMs: number; batchEveryMs: number };
  /** A fault of one machine that lasts to the end: the leader's machine, if there is a leader. */
  staysBroken: StaysBroken;
  faults: FaultOptions;
}

/**
 * - `machine`: it is down.
 * - `op-node`: it does not answer its conductor.
 * - `large messages`: those of its conductor reach nobody.
 */
export type StaysBroken = 'nothing' | 'machine' | 'op-node' | 'large messages';

/** What the nemesis does to a machine, or to all. */
export const FAULT_NAMES = [
  'killConductor',
  'restartConductor',
  'killOpNode',
  'killExecution',
  'rewindExecution',
  'killMachine',
  'killAll',
  'partition',
  'swallowLarge',
  'slowLink',
  'gossipCut',
  'badStop',
  'badStart',
  'frozenNode',
  'stuckLoop',
  'transfer',
  'pause',
  'l1Reorg',
  /** A former leader's op-node continues by itself, and leadership comes back to it. */
  'estrange',
  /** A foreign op-node commits a block here. */
  'stranger',
  /** Open connections between two conductors survive, new ones fail. */
  'newConnectionsLost',
  /** Connections between two conductors break, and new ones are refused or fail, although both run. */
  'falseEvidence',
  /** A disk that is not broken, only slow. */
  'grayDisk',
  'diskGoesBack',
  'diskCopied',
  /** An operator replaces a disk, in the middle of everything else. */
  'diskReplaced',
  /** An operator makes a conductor claim that it leads, whether it does or not. */
  'override',
  /** An operator pauses the whole cluster, for a time or until it is resumed. */
  'pauseCluster',
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

/** Relative frequency of each kind; 0 switches it off. */
export type FaultWeights = Record<FaultName, number>;

export interface FaultOptions {
  meanIntervalMs: number;
  meanDurationMs: number;
  /** Probability that a fault aims at the leader. */
  leaderBias: number;
  weights: FaultWeights;
}

const CALM: LinkOptions = { delayMinMs: 0.2, delayMeanMs: 0.3, lossChance: 0, bytesPerMs: 100_000 };

/** Swarm testing: each seed has its own mixture, because a fault that is always on hides what happens without it. */
export function drawOptions(seed: number): SimulationOptions {
  const options = drawAny(seed);
  if (options.nodes === 1) return alone(options);
  return options.witness ? besideWitness(options) : options;
}

/**
 * Both clients must report that they have left the committed chain. While one of them is gone for good, only an
 * operator can follow L1 (docs/RUNBOOK.md, "Two sequencers and a witness").
 */
function besideWitness(options: SimulationOptions): SimulationOptions {
  const { staysBroken, faults } = options;
  if (staysBroken !== 'machine' && staysBroken !== 'op-node') return options;
  return { ...options, faults: { ...faults, weights: { ...faults.weights, l1Reorg: 0 } } };
}

/**
 * Nothing confirms what a lone client reports. A crash that no poll saw counts as an effect of L1 if L1 replaces blocks at
 * about that time, and nobody can supply what the log does not retain (docs/FORK-SAFETY.md says both).
 */
function alone(options: SimulationOptions): SimulationOptions {
  const { conductor, faults } = options;
  const weights = { ...faults.weights };
  if (weights.l1Reorg > 0)
    Object.assign(weights, { rewindExecution: 0, killExecution: 0, killMachine: 0, killAll: 0 });
  return {
    ...options,
    conductor: { ...conductor, retainedEntries: 1000 },
    faults: { ...faults, weights },
  };
}

function drawAny(seed: number): SimulationOptions {
  const rng = new Prng(seed);
  const sometimes = <T>(chance: number, then: () => T, otherwise: T): T =>
    rng.chance(chance) ? then() : otherwise;
  const weight = (chance: number): number => sometimes(chance, () => rng.between(0.2, 1), 0);
  const nodes = rng.pick([1, 3, 3, 3, 3, 3, 3, 5]);
  const blockTimeS = rng.pick([1, 1, 2]);
  const height = sometimes(0.5, () => rng.int(1, 30), 0);
  return {
    nodes,
    blockTimeS,
    timing: rng.chance(0.5) ? TIMING_PROFILES.lan : TIMING_PROFILES['multi-region'],
    past: { height, behind: drawBehind(rng, nodes, height) },
    conductor: {
      healthIntervalMs: rng.pick([1000, 1000, 3000]),
      unsafeIntervalS: rng.pick([5, 10, 60]),
      roundRobin: rng.chance(0.2),
      crashEvidence: rng.chance(0.7),
      retainedEntries: rng.pick([60, 200, 1000]),
    },
    disk: { writeMeanMs: rng.pick([0.5, 2, 10]), survivesDeathChance: rng.pick([0, 0.5, 1]) },
    raftLinks: {
      ...CALM,
      delayMeanMs: rng.pick([0.3, 2, 10]),
      lossChance: sometimes(0.3, () => rng.pick([0.001, 0.01]), 0),
      bytesPerMs: rng.pick([1000, 100_000]),
    },
    gossip: {
      ...CALM,
      delayMeanMs: rng.pick([3, 50, 300]),
      lossChance: sometimes(0.5, () => rng.pick([0.02, 0.1, 0.4]), 0),
    },
    node: {
      callMeanMs: rng.pick([0.2, 0.2, 5]),
      importMeanMs: rng.pick([2, 20, 150]),
      noticeMeanMs: rng.pick([100, 2000, 6000]),
      sealsAnewChance: sometimes(0.3, () => 0.8, 0),
      losesPostChance: sometimes(0.3, () => rng.pick([0.05, 0.3]), 0),
      losesAnswerChance: sometimes(0.3, () => rng.pick([0.01, 0.1]), 0),
      activeAtStartChance: sometimes(0.3, () => 0.7, 0),
      transactionBytesMax: rng.pick([200, 5000, 40_000]),
      l1Confirmations: rng.int(0, 3),
    },
    l1: {
      blockTimeMs: rng.pick([3000, 12_000]),
      seenWithinMs: rng.pick([200, 3000]),
      batchEveryMs: rng.pick([0, 20_000]),
    },
    staysBroken:
      nodes < 3 ? 'nothing' : rng.pick(['nothing', 'nothing', 'machine', 'op-node', 'large messages']),
    faults: {
      meanIntervalMs: rng.between(500, 8000),
      meanDurationMs: rng.pick([1000, 4000, 12_000]),
      leaderBias: rng.between(0.3, 0.9),
      weights: {
        killConductor: weight(0.6),
        restartConductor: weight(0.4),
        killOpNode: weight(0.5),
        killExecution: weight(0.5),
        rewindExecution: weight(0.4),
        killMachine: weight(0.5),
        killAll: sometimes(0.3, () => 0.1, 0),
        partition: weight(0.6),
        swallowLarge: weight(0.3),
        slowLink: weight(0.3),
        gossipCut: weight(0.5),
        badStop: weight(0.4),
        badStart: weight(0.4),
        frozenNode: weight(0.4),
        stuckLoop: weight(0.4),
        transfer: weight(0.6),
        pause: weight(0.3),
        l1Reorg: weight(0.25),
        estrange: weight(0.25),
        stranger: sometimes(0.2, () => 0.2, 0),
        newConnectionsLost: weight(0.3),
        falseEvidence: weight(0.3),
        grayDisk: weight(0.3),
        diskGoesBack: sometimes(0.15, () => 0.2, 0),
        diskCopied: sometimes(0.2, () => 0.3, 0),
        diskReplaced: sometimes(0.2, () => 0.2, 0),
        override: weight(0.2),
        pauseCluster: weight(0.2),
      },
    },
    witness: nodes === 3 && rng.chance(0.3),
    foundedAfterMs: sometimes(0.2, () => rng.pick([500, 4000, 8000]), 0),
  };
}

/** A majority of the nodes is at the end of the chain. The others may be anywhere. */
function drawBehind(rng: Prng, nodes: number, height: number): number[] {
  const atEnd = Math.floor(nodes / 2) + 1;
  const behind = Array.from({ length: nodes }, (_, place) =>
    place < atEnd ? 0 : rng.int(0, Math.min(height, 9)),
  );
  const first = rng.int(0, nodes - 1);
  return [...behind.slice(first), ...behind.slice(0, first)];
}
