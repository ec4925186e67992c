import { scanDisks } from './durability.js';
import { healAndDemandProgress, restartAll, type Healed } from './healing.js';
import { honestHost, type CoreHost } from './core-host.js';
import type { Invariant } from './invariants/invariant.js';
import { drawOptions, type SimulationOptions } from './options.js';
import { simplified } from './simplify.js';
import { Trace } from './trace.js';
import { Violation } from '../checks/violation.js';
import { World } from './world.js';

export interface RunSettings {
  seed: number;
  /** Core steps under faults, in all rounds together. */
  chaosSteps: number;
  /** Determines the course of events. By default the seed. If given, the seed determines only the cluster. */
  world?: number;
  /** Which of the seed's options are switched off, by the names in simplify.ts. */
  without?: readonly string[];
  coreHost?: CoreHost;
  /** Makes further checks besides the invariants, new ones for each run. */
  observers?: () => readonly Invariant[];
  /** Gets every event as text. */
  print?: (line: string) => void;
}

export interface RunResult {
  seed: number;
  options: SimulationOptions;
  violation: Violation | null;
  /** Equal for equal runs. */
  traceHash: number;
  steps: number;
  virtualMs: number;
  /** Virtual time from the end of the faults to one leader and equal logs, by round. */
  recoveriesMs: readonly number[];
  /** Virtual time from the death of a leader, with all else healthy, to the next commit. */
  failoversMs: readonly number[];
  committed: number;
  counts: ReadonlyMap<string, number>;
  /** The last events before a violation, for a report. */
  lastEvents: readonly string[];
}

const EVENTS_KEPT = 60;

/** One whole life of a simulated cluster: chaos and healing alternate. The same settings give the same run. */
export function runSeed(settings: RunSettings): RunResult {
  const { seed, chaosSteps, world: course = seed, without = [], coreHost = honestHost, print } = settings;
  const observers = settings.observers?.() ?? [];
  const options = simplified(drawOptions(seed), without);
  const trace = new Trace(EVENTS_KEPT, print);
  const world = new World(course, options, coreHost, trace, observers);
  let violation: Violation | null = null;
  const healed: Healed[] = [];
  try {
    for (let round = 0; round < options.rounds; round++) {
      causeChaos(world, chaosSteps / options.rounds);
      healed.push(healAndDemandProgress(world));
    }
    scanDisks(world);
    restartAll(world, healed.at(-1)?.core ?? []);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  return {
    seed,
    options,
    violation,
    traceHash: trace.hash >>> 0,
    steps: world.steps,
    virtualMs: world.queue.nowMs,
    recoveriesMs: healed.map(({ recoveryMs }) => recoveryMs),
    failoversMs: healed.flatMap(({ failoverMs }) => failoverMs ?? []),
    committed: world.ledger.lastIndex,
    counts: world.counts,
    lastEvents: violation ? trace.lines() : [],
  };
}

function causeChaos(world: World, steps: number): void {
  world.beginChaos();
  const end = world.steps + steps;
  while (world.steps < end && world.queue.runNext());
  world.endChaos();
}
