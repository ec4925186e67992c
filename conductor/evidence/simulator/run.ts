import { Violation } from '../../../raft/evidence/checks/violation.js';
import { Prng } from '../../../raft/testing/prng.js';
import { simplifiedBy } from '../../../raft/evidence/simulator/simplification.js';
import { Nemesis } from './nemesis.js';
import { drawOptions, type SimulationOptions } from './options.js';
import { simplifications } from './simplify.js';
import { VirtualClock } from './time/virtual-clock.js';
import { Trace } from './trace.js';
import { World } from './world.js';

export interface RunSettings {
  seed: number;
  /** Events under faults: timers, messages, answers. */
  chaosSteps: number;
  /** Determines the course of events. By default the seed. If given, the seed determines only the cluster. */
  world?: number;
  /** Which of the seed's options are switched off, by the names in simplify.ts. */
  without?: readonly string[];
  /** Invariants that are not checked. */
  ignored?: ReadonlySet<string>;
  /** Replaces options that are drawn from the seed. */
  options?: SimulationOptions;
  /** A script that replaces the faults drawn from the seed. */
  script?: (world: World) => Promise<void>;
  /** Gets every event as text. */
  print?: (line: string) => void;
}

export interface RunResult {
  seed: number;
  options: SimulationOptions;
  violation: Violation | undefined;
  /** Equal for equal runs. */
  traceHash: number;
  /** Events, including the beginning and the calm. */
  steps: number;
  virtualMs: number;
  /** Blocks that were published. */
  committed: number;
  counts: ReadonlyMap<string, number>;
  /** The last events before a violation, for a report. */
  lastEvents: readonly string[];
}

const EVENTS_KEPT = 80;
/** By then a founded cluster has blocks. */
const BEGIN_MS = 15_000;
/** Long enough to see that leadership does not move. */
const CALM_MIN_MS = 80_000;
/**
 * The longest back-offs: op-node's while its execution client syncs, a leader's whose chain does not advance, and a start.
 */
const CALM_MAX_MS = 150_000;
const LOOK_EVERY_MS = 10_000;
const FLOW_WINDOW_MS = 20_000;

/** One whole life of a simulated cluster: faults, then calm. The same settings give the same run. */
export async function runSeed(settings: RunSettings): Promise<RunResult> {
  const {
    seed,
    chaosSteps,
    world: course = seed,
    without = [],
    ignored = new Set(),
    script,
    print,
  } = settings;
  const options = simplifiedBy(simplifications, settings.options ?? drawOptions(seed), without);
  // A different stream from that of the options, so that a change of one does not affect the other.
  const rng = new Prng(course ^ 0x5bd1e995);
  const clock = new VirtualClock(new Prng(course ^ 0x2545f491));
  const trace = new Trace(() => clock.nowMs, EVENTS_KEPT, print);
  const giveBack = clock.install();
  const { stackTraceLimit } = Error;
  // Most errors are answers here, and each would carry its stack. The replay of a crash prints it.
  if (!print) Error.stackTraceLimit = 0;
  const world = new World(clock, rng, options, trace, FLOW_WINDOW_MS, ignored);
  const onRejection = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.fail(new Violation('crash', `nobody handles a rejection: ${text}`));
  };
  process.on('unhandledRejection', onRejection);
  try {
    await live(world, chaosSteps, script);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    world.fail(new Violation('crash', error.stack ?? error.message));
  } finally {
    for (const machine of world.machines) {
      machine.killConductor();
      machine.killOpNode();
    }
    await clock.settled();
    process.off('unhandledRejection', onRejection);
    giveBack();
    Error.stackTraceLimit = stackTraceLimit;
  }
  return {
    seed,
    options,
    violation: world.violation,
    traceHash: trace.hash,
    steps: clock.events,
    virtualMs: clock.nowMs,
    committed: world.ledger.acknowledged.length,
    counts: world.counts,
    lastEvents: world.violation ? trace.lines() : [],
  };
}

async function live(world: World, chaosSteps: number, script: RunSettings['script']): Promise<void> {
  const { clock } = world;
  const isBroken = (): boolean => world.violation !== undefined;
  const pass = (ms: number): Promise<void> => clock.runUntil(clock.nowMs + ms, isBroken);
  await whileTimePasses(world, world.begin());
  await pass(BEGIN_MS);
  const nemesis = new Nemesis(world);
  if (script) {
    await whileTimePasses(world, script(world));
  } else {
    nemesis.begin();
    const end = clock.events + chaosSteps;
    await clock.runUntil(Infinity, () => isBroken() || clock.events >= end);
  }
  nemesis.heal();
  world.options = calm(world.options);
  world.raftLinks.options = world.options.raftLinks;
  world.gossipLinks.options = world.options.gossip;
  const beganMs = clock.nowMs;
  await pass(CALM_MIN_MS);
  while (!isBroken() && world.problemAtEnd() && clock.nowMs < beganMs + CALM_MAX_MS)
    await pass(LOOK_EVERY_MS);
  const problem = world.problemAtEnd();
  if (problem) world.fail(problem);
}

/** Runs the world until something in it has finished. */
async function whileTimePasses(world: World, work: Promise<void>): Promise<void> {
  let isDone = false;
  const done = work.finally(() => (isDone = true));
  // Failures are reported at the end.
  done.catch(() => undefined);
  await world.clock.runUntil(Infinity, () => isDone || world.violation !== undefined);
  if (isDone) await done;
}

/** Ends the random faults. */
function calm(options: SimulationOptions): SimulationOptions {
  return {
    ...options,
    raftLinks: { ...options.raftLinks, lossChance: 0 },
    gossip: { ...options.gossip, lossChance: 0 },
    node: { ...options.node, losesPostChance: 0, losesAnswerChance: 0, sealsAnewChance: 0 },
  };
}
