import { Violation } from '../../../../raft/evidence/checks/violation.js';
import { TIMING_PROFILES } from '../../../../raft/index.js';
import type { LinkOptions } from '../cluster/links.js';
import type { Machine } from '../machine.js';
import { FAULT_NAMES, type FaultWeights, type SimulationOptions } from '../options.js';
import type { World } from '../world.js';

/** A course of events that once exposed a bug, in the fewest steps. A seed would find it sooner or later. */
export interface Scenario {
  name: string;
  /** What happened there, and why it matters. */
  story: string;
  /** Changes to a cluster of three without random faults. */
  options?: Partial<SimulationOptions>;
  play: (world: World) => Promise<void>;
}

const QUIET: LinkOptions = { delayMinMs: 0.2, delayMeanMs: 0.3, lossChance: 0, bytesPerMs: 100_000 };

const NO_FAULTS = Object.fromEntries(FAULT_NAMES.map((name) => [name, 0])) as FaultWeights;

/** Three healthy nodes, each with the same chain. */
export const QUIET_OPTIONS: SimulationOptions = {
  nodes: 3,
  witness: false,
  blockTimeS: 1,
  timing: TIMING_PROFILES.lan,
  past: { height: 10, behind: [0, 0, 0] },
  foundedAfterMs: 0,
  conductor: {
    healthIntervalMs: 1000,
    unsafeIntervalS: 10,
    roundRobin: false,
    crashEvidence: true,
    retainedEntries: 1000,
  },
  disk: { writeMeanMs: 1, survivesDeathChance: 1 },
  raftLinks: QUIET,
  gossip: { ...QUIET, delayMeanMs: 20 },
  node: {
    callMeanMs: 0.2,
    importMeanMs: 5,
    noticeMeanMs: 300,
    sealsAnewChance: 0,
    losesPostChance: 0,
    losesAnswerChance: 0,
    activeAtStartChance: 0,
    transactionBytesMax: 5000,
    l1Confirmations: 1,
  },
  l1: { blockTimeMs: 4000, seenWithinMs: 200, batchEveryMs: 10_000 },
  staysBroken: 'nothing',
  faults: { meanIntervalMs: 1000, meanDurationMs: 1000, leaderBias: 0.5, weights: NO_FAULTS },
};

/** The machine that leads now. @throws Error when none does */
export function leaderOf(world: World): Machine {
  const { leader } = world;
  if (!leader) throw new Error('nobody leads');
  return leader;
}

/** A machine that does not lead. */
export function standbyOf(world: World): Machine {
  return world.machines.find((machine) => machine !== world.leader) as Machine;
}

/** The execution client restarts too fast for a poll to notice, and comes back some blocks behind. */
export function restartClient({ execution }: Machine, lostBlocks: number): void {
  execution.kill(lostBlocks);
  execution.start();
}

/** No gossip to or from this machine. */
export function cutGossip(world: World, machine: Machine): void {
  for (const other of world.machines) {
    world.gossipLinks.cutLink(machine.nodeId, other.nodeId);
    world.gossipLinks.cutLink(other.nodeId, machine.nodeId);
  }
}

/** Requires a result of this course of events. */
export function demand(world: World, isSo: boolean, what: string): void {
  if (!isSo) world.fail(new Violation('outcome', what));
}

/** Requires this many published blocks in the last seconds. */
export function publishedWithin(world: World, ms: number): number {
  return world.ledger.acknowledged.filter(({ atMs }) => atMs > world.nowMs - ms).length;
}

/** An operator repeats a transfer until it succeeds. */
export async function handOver(world: World, to: Machine): Promise<void> {
  for (let attempt = 0; attempt < 20 && world.leader !== to; attempt++) {
    await world.leader?.conductor?.conductor.transferLeaderToServer(to.nodeId, '').catch(() => undefined);
    await world.clock.sleep(200);
  }
}
