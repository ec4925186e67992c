import type { Limits } from '../../core/options.js';
import type { Timing } from '../../core/timing.js';
import { Prng } from '../../testing/prng.js';

/** Everything that distinguishes one simulated cluster from another. All of it is drawn from the seed. */
export interface SimulationOptions {
  cluster: {
    /** Voters of the first configuration. */
    voters: number;
    /** More processes with empty disks, which the workload may add. */
    spares: number;
    /** Only the first node is bootstrapped, and it adds the others (op-conductor's way). */
    growFromOne: boolean;
  };
  timing: Timing;
  limits: Limits;
  network: NetworkOptions;
  disk: {
    writeMinMs: number;
    writeMeanMs: number;
    /** Probability that the current write survives a crash. */
    keepUnfinishedChance: number;
  };
  clock: {
    /** Greatest deviation of a clock's rate from 1. */
    rateSpread: number;
    /** Greatest lateness of a timer. */
    timerLatenessMaxMs: number;
  };
  application: {
    applyMeanMs: number;
    /** A snapshot is made when this many entries have been applied since the last one. Infinity means never. */
    compactEvery: number;
  };
  faults: FaultOptions;
  workload: WorkloadOptions;
  /** How many times chaos and healing alternate. */
  rounds: number;
  healing: {
    /** Probability that a minority stays broken while progress is demanded. */
    keepBrokenChance: number;
    /** Mean duration of a write while progress is demanded, in election timeouts. Disks may be slower than timers. */
    writeMeanInTimeouts: number;
    /** Probability that all nodes crash once more after recovery. */
    restartAllChance: number;
    /** Probability that the leader dies after recovery, and the failover is timed. */
    failoverChance: number;
    /** Probability that a node stays broken so that its heartbeats pass but its entries do not. */
    keepHinderedChance: number;
    /** Probability that a majority gets slow disks after recovery, and changes of leadership are counted. */
    slowMajorityChance: number;
  };
  /** Messages are frozen, so that a core that changes its input is detected (I23). */
  freezeMessages: boolean;
}

export interface NetworkOptions {
  delayMinMs: number;
  delayMeanMs: number;
  /** Sometimes a message takes much longer. */
  spikeChance: number;
  spikeMeanMs: number;
  lossChance: number;
  duplicateChance: number;
  /** Messages of one link keep their order. */
  fifo: boolean;
  bytesPerMs: number;
  /** Responses reach the core although their request was given up, or belonged to an earlier process. */
  lateResponses: boolean;
  /** A dead process's host refuses connections: requests fail at once. */
  refusals: boolean;
  /** The transport knows how much of a large request the peer has. */
  tellsProgress: boolean;
  /** A refusal is reported as evidence that the process is gone. */
  evidence: boolean;
}

export interface FaultOptions {
  meanIntervalMs: number;
  /** Relative frequency by kind; 0 switches a fault off. */
  weights: {
    crash: number;
    crashAll: number;
    pause: number;
    partition: number;
    /** A link holds back everything for a while, then delivers it. */
    clog: number;
    /** A machine is paused and its links are cut, as in a migration. */
    suspend: number;
    slowDisk: number;
    /** Every write of a node fails for a while, and so does every start of a process there. */
    diskFull: number;
    /** A record is corrupted, or the whole disk is lost; never more than the cluster can spare. */
    loseDisk: number;
    /** A follower's disk is lost, and its acknowledgement arrives when another disk has replaced it. */
    outliveDisk: number;
    /** The disk goes back to an older state; never more disks than the cluster can spare. */
    goBack: number;
    clockLeap: number;
    clockDrift: number;
    /** A nearly isolated leader is replaced while it may still trust itself, and is asked for reads. */
    usurp: number;
    /** The leader is cut off, and earlier messages of the others reach it late. */
    strand: number;
    /** Large frames are lost or too slow on some links of a node, and heartbeats pass. */
    hinder: number;
    /** The disks of a majority take as long as elections do. */
    slowMajority: number;
  };
  /** Probability that a fault aims at the leader. */
  leaderBias: number;
  /** Probability, per write, that the process dies during it or soon after. */
  crashAroundWriteChance: number;
  /** Probability that a voter dies just after its vote became durable, and is back at once. */
  crashAfterVoteChance: number;
  /** Probability, per write, that it fails. */
  writeErrorChance: number;
  /** Probability that the current write in a crash is written partially. */
  tornWriteChance: number;
  downMeanMs: number;
  pauseMeanMs: number;
  /** The monotonic clock stops during a pause (suspended machine). */
  pauseStopsClock: boolean;
  /** The process does not notice that it was paused. */
  pauseUnnoticed: boolean;
  /** After a pause its timers fire before it reads what arrived meanwhile. */
  timersFirst: boolean;
  partitionMeanMs: number;
  slowDiskMeanMs: number;
  slowDiskFactor: number;
}

export interface WorkloadOptions {
  meanIntervalMs: number;
  weights: {
    propose: number;
    read: number;
    transfer: number;
    membership: number;
    eligibility: number;
    /** Members with a lost disk are removed, and added again with their new one. */
    repair: number;
  };
  proposalBytesMax: number;
  /** Probability that a request goes to any node instead of one that leads. */
  strayChance: number;
}

const PROFILES: readonly [Timing, ...Timing[]] = [
  profile(30, 150, 12, 6),
  profile(50, 300, 15, 10),
  profile(90, 400, 60, 20),
  profile(20, 100, 5, 30),
  // Ranks too close together: elections collide.
  profile(20, 100, 1, 1),
];

function profile(
  heartbeatIntervalMs: number,
  electionTimeoutMs: number,
  rankSlotMs: number,
  jitterMs: number,
): Timing {
  return {
    heartbeatIntervalMs,
    electionTimeoutMs,
    rankSlotMs,
    jitterMs,
    leaseTimeoutMs: electionTimeoutMs,
    requestTimeoutMs: electionTimeoutMs,
    transferTimeoutMs: electionTimeoutMs,
  };
}

/** Swarm testing: each seed has its own mixture, because a fault that is always on hides what happens without it. */
export function drawOptions(seed: number): SimulationOptions {
  const rng = new Prng(seed);
  const sometimes = <T>(chance: number, then: () => T, otherwise: T): T =>
    rng.chance(chance) ? then() : otherwise;

  const timing = { ...rng.pick(PROFILES) };
  timing.leaseTimeoutMs *= rng.between(0.8, 1);
  timing.requestTimeoutMs *= rng.between(0.3, 3);
  timing.transferTimeoutMs *= rng.between(0.5, 3);
  const base = timing.electionTimeoutMs;
  const voters = rng.pick([1, 2, 3, 3, 3, 3, 4, 5, 5]);
  const membership = rng.chance(0.5);
  const tiny = rng.chance(0.5);
  const lossy = rng.chance(0.6);
  const diskLoss = !membership && voters >= 3 && rng.chance(0.4);
  // Drawn from other streams, so that the other options of a seed do not change.
  const reversion = !membership && voters >= 3 && new Prng(seed ^ 0x2c1b3c6d).chance(0.4);
  const lastWords =
    !membership && voters >= 3 && !diskLoss && !reversion && new Prng(seed ^ 0x3f84d5b5).chance(0.4);
  // The lease holds only if all its conditions do, so some of the clusters have them all.
  const trustworthy = rng.chance(0.1);
  const others = new Prng(seed ^ 0x51ed270b);
  const half = (chance: number): number => (others.chance(chance) ? others.between(0.2, 1) : 0);
  const weight = (chance: number): number => sometimes(chance, () => rng.between(0.2, 1), 0);

  const options: SimulationOptions = {
    cluster: {
      voters,
      spares: membership ? rng.int(0, Math.min(2, 6 - voters)) : 0,
      growFromOne: membership && rng.chance(0.25),
    },
    timing,
    limits: tiny ? tinyLimits(rng) : generousLimits(),
    network: {
      delayMinMs: rng.between(0.05, 1),
      delayMeanMs: sometimes(0.2, () => rng.between(0.02, 0.3) * base, rng.between(0.2, 4)),
      spikeChance: sometimes(0.4, () => rng.between(0.001, 0.05), 0),
      spikeMeanMs: rng.between(0.1, 3) * base,
      lossChance: lossy ? rng.pick([0.001, 0.01, 0.05, 0.2]) : 0,
      duplicateChance: sometimes(0.5, () => rng.pick([0.01, 0.1, 0.4]), 0),
      fifo: rng.chance(0.4),
      bytesPerMs: rng.pick([200, 5_000, 100_000]),
      lateResponses: rng.chance(0.6),
      refusals: rng.chance(0.7),
      evidence: rng.chance(0.5),
      tellsProgress: others.chance(0.5),
    },
    disk: {
      writeMinMs: rng.between(0.05, 1),
      writeMeanMs: sometimes(0.25, () => rng.between(0.02, 0.3) * base, rng.between(0.1, 3)),
      keepUnfinishedChance: rng.pick([0, 0.5, 0.5, 1]),
    },
    clock: { rateSpread: rng.pick([0, 0.001, 0.05]), timerLatenessMaxMs: rng.pick([0, 1, 10]) },
    application: {
      applyMeanMs: rng.pick([0.1, 2, 30]),
      compactEvery: sometimes(0.6, () => rng.int(1, 40), Infinity),
    },
    faults: {
      meanIntervalMs: base * rng.between(0.5, 8),
      weights: {
        crash: weight(0.7),
        crashAll: sometimes(0.3, () => 0.1, 0),
        pause: weight(0.5),
        partition: weight(0.7),
        clog: weight(0.4),
        suspend: weight(0.4),
        slowDisk: weight(0.4),
        diskFull: weight(0.25),
        loseDisk: diskLoss ? 0.3 : 0,
        outliveDisk: lastWords ? 1 : 0,
        goBack: reversion ? 1 : 0,
        clockLeap: weight(0.25),
        clockDrift: weight(0.25),
        usurp: weight(0.4),
        strand: weight(0.3),
        hinder: half(0.4),
        slowMajority: half(0.15),
      },
      leaderBias: rng.between(0.2, 0.9),
      crashAroundWriteChance: sometimes(0.3, () => rng.between(0.001, 0.03), 0),
      crashAfterVoteChance: sometimes(0.25, () => rng.between(0.1, 0.5), 0),
      writeErrorChance: sometimes(0.2, () => rng.between(0.0005, 0.01), 0),
      tornWriteChance: diskLoss ? rng.pick([0, 0.5, 1]) : 0,
      downMeanMs: base * rng.pick([0.02, 0.2, 1, 4]),
      pauseMeanMs: base * rng.between(0.2, 4),
      pauseStopsClock: rng.chance(0.5),
      pauseUnnoticed: rng.chance(0.4),
      timersFirst: rng.chance(0.5),
      partitionMeanMs: base * rng.between(0.5, 6),
      slowDiskMeanMs: base * rng.between(1, 6),
      slowDiskFactor: rng.pick([5, 50, 500]),
    },
    workload: {
      meanIntervalMs: base * rng.pick([0.02, 0.1, 0.5]),
      weights: {
        propose: 10,
        read: sometimes(0.7, () => 3, 0),
        transfer: sometimes(0.5, () => rng.between(0.1, 1.5), 0),
        membership: membership ? rng.between(0.2, 3) : 0,
        eligibility: sometimes(0.3, () => 0.5, 0),
        repair: diskLoss || reversion || lastWords ? 3 : 0,
      },
      proposalBytesMax: sometimes(0.1, () => 20_000, rng.int(8, 300)),
      strayChance: rng.between(0, 0.4),
    },
    rounds: rng.int(1, 6),
    healing: {
      keepBrokenChance: rng.pick([0, 0.5, 1]),
      // With tiny batches as well, catching up would take too long to tell slow from stuck.
      writeMeanInTimeouts: tiny ? 0.002 : rng.pick([0.002, 0.05, 0.6]),
      restartAllChance: rng.pick([0, 0.3]),
      failoverChance: rng.pick([0, 0.5]),
      keepHinderedChance: others.pick([0, 0, 0.5]),
      slowMajorityChance: others.pick([0, 0, 0, 0.3]),
    },
    freezeMessages: rng.chance(0.05),
  };
  return trustworthy ? keepLeases(options) : options;
}

/** Switches off what makes voters forget their loyalty or clocks lie (invariants/lease-disjointness.ts). */
function keepLeases({ faults, network, clock, ...others }: SimulationOptions): SimulationOptions {
  const off = {
    crash: 0,
    crashAll: 0,
    loseDisk: 0,
    outliveDisk: 0,
    goBack: 0,
    diskFull: 0,
    usurp: 0,
    clockLeap: 0,
    clockDrift: 0,
  };
  return {
    ...others,
    clock: { ...clock, rateSpread: Math.min(clock.rateSpread, 0.001) },
    network: { ...network, evidence: false, delayMeanMs: network.delayMeanMs * 4 },
    faults: {
      ...faults,
      weights: { ...faults.weights, ...off, partition: 1, strand: 1 },
      leaderBias: 0.8,
      crashAroundWriteChance: 0,
      crashAfterVoteChance: 0,
      writeErrorChance: 0,
      tornWriteChance: 0,
      pauseStopsClock: false,
    },
  };
}

export function generousLimits(): Limits {
  return {
    uncommittedBytesMax: 8 << 20,
    uncommittedEntriesMax: 1024,
    inflightRequestsMax: 2,
    inflightBytesMax: 4 << 20,
    appendBytesMax: 1 << 20,
    cacheBytesMax: 16 << 20,
  };
}

function tinyLimits(rng: Prng): Limits {
  return {
    uncommittedBytesMax: rng.int(20, 2_000),
    uncommittedEntriesMax: rng.int(1, 20),
    inflightRequestsMax: rng.int(1, 6),
    inflightBytesMax: rng.int(1, 1_000),
    appendBytesMax: rng.int(1, 500),
    cacheBytesMax: rng.pick([0, 50, 1_000]),
  };
}
