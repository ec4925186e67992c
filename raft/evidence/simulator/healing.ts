import { leaderPatienceMs } from '../../core/patience.js';
import { isQuorum, quorumsOf, votersOf } from '../checks/quorums.js';
import { check } from '../checks/violation.js';
import { NO_ENTRIES } from './hindrances.js';
import { hasDiskOf } from './invariants/invariant.js';
import type { Voter } from './ledger.js';
import type { SimulatedNode } from './node.js';
import { contextOf, describe, runUntil, settledLeader } from './settling.js';
import { demandSteadiness, keepProposing } from './steadiness.js';
import type { World } from './world.js';

export interface Healed {
  /** The healthy nodes. */
  core: readonly SimulatedNode[];
  /** Virtual time from the end of the faults to one leader and equal logs. */
  recoveryMs: number;
  /** From the death of that leader to the first commit of the next; undefined when none died. */
  failoverMs: number | undefined;
}

/**
 * I20 Liveness and I19 Quiet: once a core of nodes is healthy again, it finds one leader, equal logs and a new commit
 * within a bound, even if everything else stays broken. From then on nothing moves leadership.
 */
export function healAndDemandProgress(world: World): Healed {
  calm(world);
  const broken = breakSome(world);
  const core = world.nodes.filter((node) => node.isRunning && !broken.has(node));
  world.trace.note(world.queue.nowMs, `healed, but for ${ids([...broken]) || 'none'}`);
  const recoveryMs = demandProgress(world, core);
  demandQuiet(world, core);
  const isHalfAlive = world.nodes.some((node) => world.network.isHinderedForGood(node));
  if (!isHalfAlive && world.rng.chance(world.options.healing.slowMajorityChance)) {
    demandSteadiness(world, core);
    demandProgress(world, core);
  }
  let failoverMs: number | undefined;
  if (world.rng.chance(world.options.healing.failoverChance)) {
    failoverMs = demandFailover(world, core);
    demandProgress(world, core);
  }
  if (world.rng.chance(world.options.healing.restartAllChance)) restartAll(world, core);
  demandAnswers(world, core);
  return { core, recoveryMs, failoverMs };
}

export function restartAll(world: World, core: readonly SimulatedNode[]): void {
  world.count('restart of all');
  for (const node of core) node.crash();
  for (const node of core) node.start();
  demandProgress(world, core);
}

/** Kills a healthy leader, and returns how long it takes until a successor commits. */
function demandFailover(world: World, core: readonly SimulatedNode[]): number | undefined {
  const leader = settledLeader(world, core);
  if (!leader) return undefined;
  const rest = core.filter((node) => node !== leader);
  const works = ({ id, incarnation }: Voter): boolean =>
    rest.some((node) => node.id === id && node.incarnation === incarnation);
  if (!isQuorum(quorumsOf(contextOf(leader).configurations.latest.configuration), works)) return undefined;
  world.trace.note(world.queue.nowMs, 'the leader dies, and nothing else happens');
  const startedMs = world.queue.nowMs;
  const before = world.ledger.lastIndex;
  leader.crash();
  const tookOver = runUntil(world, () => world.ledger.lastIndex > before, boundMs(world));
  // There is no such promise if disks are slower than the timers.
  const { electionTimeoutMs } = world.options.timing;
  const isPrompt = world.options.disk.writeMeanMs <= electionTimeoutMs / 10;
  const tookMs = world.queue.nowMs - startedMs;
  leader.start();
  check(
    tookOver && (!isPrompt || tookMs <= failoverBoundMs(world)),
    'I24',
    () => `no commit ${Math.round(tookMs)} ms after the leader's death: ${describe(rest)}`,
  );
  return isPrompt ? tookMs : undefined;
}

/** Silence, the queue of candidates, a second attempt after a split vote, three rounds of disk writes. */
function failoverBoundMs({ options, nodes }: World): number {
  const { electionTimeoutMs, rankSlotMs, jitterMs } = options.timing;
  const queueMs = 2 * nodes.length * rankSlotMs + jitterMs;
  return 2 * electionTimeoutMs + 3 * queueMs + 3 * rankSlotMs + 30 * options.disk.writeMeanMs + 20;
}

const ids = (nodes: readonly SimulatedNode[]): string => nodes.map((node) => node.id).join(', ');

function boundMs(world: World): number {
  const { timing, disk } = world.options;
  const { electionTimeoutMs, requestTimeoutMs, transferTimeoutMs } = timing;
  // A transfer has this time once to catch up, and once for the rest.
  return 6 * electionTimeoutMs + 2 * requestTimeoutMs + 2 * transferTimeoutMs + 60 * disk.writeMeanMs;
}

/** Faults end. The network becomes fast compared with the timers, and mostly the disks as well. */
function calm(world: World): void {
  const { options } = world;
  const tempo = options.timing.rankSlotMs;
  const writeMeanMs = options.healing.writeMeanInTimeouts * options.timing.electionTimeoutMs;
  world.options = {
    ...options,
    disk: { ...options.disk, writeMinMs: 0.05, writeMeanMs },
    clock: { ...options.clock, timerLatenessMaxMs: Math.min(1, options.clock.timerLatenessMaxMs) },
    application: { ...options.application, applyMeanMs: 0.2 },
  };
  world.network.mendAll();
  world.network.options = {
    ...options.network,
    delayMinMs: 0.05,
    delayMeanMs: tempo / 20,
    spikeChance: 0,
    lossChance: 0,
    duplicateChance: 0,
    bytesPerMs: 100_000,
  };
  for (const node of world.nodes) {
    node.diskFactor = 1;
    node.diskIsFull = false;
    node.clock.hasten(world.queue.nowMs, 1);
    node.timer.restart();
    node.writer.hurry();
    if (node.wentBack) {
      node.crash();
      node.replaceDisk();
    }
    if (!node.isRunning) node.start();
    else node.resume();
  }
}

/** Chooses which nodes stay broken: never so many that a configuration in use lacks a quorum. */
function breakSome(world: World): ReadonlySet<SimulatedNode> {
  const { rng, nodes, options } = world;
  const broken = new Set<SimulatedNode>();
  if (!rng.chance(options.healing.keepBrokenChance)) return broken;
  for (const node of nodes) {
    if (!rng.chance(node.leads ? 0.8 : 0.4)) continue;
    broken.add(node);
    const works = (voter: Voter): boolean => {
      const peer = world.node(voter.id);
      return peer.isRunning && hasDiskOf(peer, voter) && !broken.has(peer);
    };
    // What a broken node has begun may still spread, so its configuration counts as well.
    const decidable =
      isQuorum(world.ledger.last.quorums, works) &&
      nodes.every((other) => isDecidable(other, works)) &&
      nodes.some((other) => canWin(world, other, works));
    if (!decidable) broken.delete(node);
  }
  for (const node of broken) {
    if (rng.chance(options.healing.keepHinderedChance)) {
      keepHalfAlive(world, node);
      continue;
    }
    const [how, isCut] = rng.pick<[string, (from: SimulatedNode, to: SimulatedNode) => boolean]>([
      ['dead', (from) => from === node],
      ['isolated', (from, to) => from === node || to === node],
      ['deaf', (_, to) => to === node],
      ['mute', (from) => from === node],
    ]);
    world.count(`stays ${how}`);
    world.trace.note(world.queue.nowMs, `${node.id} stays ${how}`);
    if (how === 'dead') node.crash();
    for (const from of nodes) {
      for (const to of nodes) if (from !== to && isCut(from, to)) world.network.sever(from, to);
    }
  }
  return broken;
}

/** Its heartbeats pass, its entries do not: as a leader it would make no progress. */
function keepHalfAlive(world: World, node: SimulatedNode): void {
  world.count('stays half alive');
  world.trace.note(world.queue.nowMs, `${node.id} stays half alive`);
  for (const to of world.nodes) if (to !== node) world.network.hinderForGood(node, to, NO_ENTRIES);
}

function isDecidable(node: SimulatedNode, works: (voter: Voter) => boolean): boolean {
  if (!node.isRunning) return true;
  const { index, configuration } = contextOf(node).configurations.latest;
  return index === 0 || isQuorum(quorumsOf(configuration), works);
}

/**
 * True when a majority of the working voters would vote for this node. It is not enough that every configuration has a
 * working majority: during a change, the votes of one may depend on the log of a node that is a voter only in the
 * other.
 */
function canWin(world: World, node: SimulatedNode, works: (voter: Voter) => boolean): boolean {
  if (!works(node)) return false;
  const { configurations, commit, log } = contextOf(node);
  const mayStand = [configurations.latest, configurations.at(commit)].some(({ configuration }) =>
    votersOf(configuration).some(({ incarnation }) => incarnation === node.incarnation),
  );
  const votesForIt = (voter: Voter): boolean => {
    if (!works(voter)) return false;
    const { lastTerm, lastIndex } = contextOf(world.node(voter.id)).log;
    return !(lastTerm > log.lastTerm || (lastTerm === log.lastTerm && lastIndex > log.lastIndex));
  };
  return mayStand && isQuorum(quorumsOf(configurations.latest.configuration), votesForIt);
}

function demandProgress(world: World, core: readonly SimulatedNode[]): number {
  const startedMs = world.queue.nowMs;
  const halfAlive = world.nodes.filter((node) => node.isRunning && world.network.isHinderedForGood(node));
  // Each of them may lead once until it gives up, or twice if elections take longer than the time that it leaves for them.
  const times = world.options.healing.writeMeanInTimeouts > 0.5 ? 1 + 2 : 1;
  const uselessMs = halfAlive.reduce((sum, node) => sum + times * leaderPatienceMs(contextOf(node)), 0);
  let done = false;
  if (halfAlive.length > 0) keepProposing(world, halfAlive, () => done);
  // A current election waits for a silent voter as long as the failed elections before it demand.
  const patiencesMs = core.map(contextOf).map(({ campaign, now }) => (campaign?.endsAtMs ?? now) - now);
  // A leader may wait in vain for a new voter.
  const probationsMs = core
    .map(contextOf)
    .flatMap(({ leadership, now }) =>
      [...(leadership?.progress.values() ?? [])].map(({ probationUntilMs }) => probationUntilMs - now),
    );
  const withinMs = boundMs(world) + Math.max(0, ...patiencesMs) + Math.max(0, ...probationsMs) + uselessMs;
  const found = runUntil(world, () => settledLeader(world, core) !== undefined, withinMs);
  done = true;
  check(
    found,
    'I20',
    () => `no single leader with equal logs within ${Math.round(withinMs)} ms: ${describe(core)}`,
  );
  const recoveryMs = world.queue.nowMs - startedMs;
  demandCommit(world, core);
  return recoveryMs;
}

/** A proposal to the leader is committed, and all nodes learn of it. */
function demandCommit(world: World, core: readonly SimulatedNode[]): void {
  const before = world.ledger.lastIndex;
  const leader = settledLeader(world, core);
  if (leader) world.workload.propose(leader);
  check(
    runUntil(
      world,
      () => world.ledger.lastIndex > before && settledLeader(world, core) !== undefined,
      boundMs(world),
    ),
    'I20',
    () => `a new proposal is not committed everywhere: ${describe(core)}`,
  );
}

/** I19: no node disturbs a leader that hears from its quorum in time. */
function demandQuiet(world: World, core: readonly SimulatedNode[]): void {
  // Messages in flight when the faults ended may still do harm, such as an order to take over.
  runUntil(world, () => false, world.network.lastArrivalMs - world.queue.nowMs);
  demandProgress(world, core);
  const leader = settledLeader(world, core);
  const term = leader && contextOf(leader).term;
  const { electionTimeoutMs } = world.options.timing;
  const estranged = leader && estrange(world, core, leader);
  const others = core.filter((node) => node !== estranged);
  // A leader leaves by its own decision when its write, or those of a majority, take longer than four election timeouts.
  const slowWrites = ['diskHangs', ...(world.options.healing.writeMeanInTimeouts > 0.5 ? ['noWork'] : [])];
  const hungDisks = (): number =>
    slowWrites.reduce((sum, type) => sum + (world.counts.get(`event: ${type}`) ?? 0), 0);
  const hungBefore = hungDisks();
  for (let proposal = 0; proposal < 3; proposal++) {
    runUntil(world, () => false, electionTimeoutMs);
    check(
      hungDisks() > hungBefore || (leader?.leads === true && contextOf(leader).term === term),
      'I19',
      () => `the leadership of ${leader?.id} in term ${term} was disturbed: ${describe(core)}`,
    );
    if (hungDisks() > hungBefore) demandProgress(world, others);
    else demandCommit(world, others);
  }
  if (!estranged) return;
  world.network.mendAll();
  demandProgress(world, core);
}

/** One follower no longer hears the leader, but hears all others. It asks for votes and gets none. */
function estrange(
  world: World,
  core: readonly SimulatedNode[],
  leader: SimulatedNode,
): SimulatedNode | undefined {
  const follower = world.rng.pick(core.filter((node) => node !== leader));
  const works = (voter: Voter): boolean =>
    core.some((node) => node !== follower && node.incarnation === voter.incarnation);
  const quorums = quorumsOf(contextOf(leader).configurations.latest.configuration);
  if (!follower || !world.rng.chance(0.5) || !isQuorum(quorums, works)) return undefined;
  world.count('estranged follower');
  world.trace.note(world.queue.nowMs, `${leader.id} and ${follower.id} do not reach each other`);
  world.network.cutLink(leader, follower);
  if (world.rng.chance(0.5)) world.network.cutLink(follower, leader);
  return follower;
}

/** Every client that asked a running node has an answer. */
function demandAnswers(world: World, core: readonly SimulatedNode[]): void {
  const { transferTimeoutMs, leaseTimeoutMs } = world.options.timing;
  runUntil(world, () => false, 2 * transferTimeoutMs + 2 * leaseTimeoutMs);
  for (const request of world.requests.all()) {
    check(
      !core.some((node) => node === request.node),
      'I18',
      () => `${request.node.id} never answered ${request.kind} ${request.id}`,
    );
  }
}
