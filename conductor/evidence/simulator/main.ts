import { parseArgs } from 'node:util';
import { shrink } from '../../../raft/evidence/simulator/shrink.js';
import { soak } from '../../../raft/evidence/simulator/soak/soak.js';
import { BROKEN_BY_SEEDS } from './known-violations.js';
import { huntAll } from './mutants/hunt.js';
import { useMutant } from './mutants/use-mutant.js';
import { reportFailure, summarize } from './report.js';
import type { RunResult, RunSettings } from './run.js';

// Imports nothing that a mutant may change: it would be loaded before the mutant.
const COMMAND = 'node --import tsx conductor/evidence/simulator/main.ts';
const USAGE = `usage: ${COMMAND} [--seeds FROM..TO | --seed N] [--steps N] [--trace] [--shrink] [--without NAME,…] [--world N] [--ignore INVARIANT,…] [--first] [--mutant NAME] | --scenario NAME|all [--mutant NAME] [--trace] | --mutants [NAME] [--within SEEDS] | --soak [--minutes N] [--from SEED] [--workers N] [--steps N]`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1..50' },
    steps: { type: 'string', default: '15000' },
    world: { type: 'string' },
    without: { type: 'string', default: '' },
    ignore: { type: 'string', default: '' },
    shrink: { type: 'boolean', default: false },
    /** Ends with the first seed that fails. */
    first: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    within: { type: 'string', default: '40' },
    soak: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    from: { type: 'string' },
    workers: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const print = values.trace ? write : undefined;
const namesIn = (text: string): string[] => text.split(',').filter(Boolean);

function wholeNumber(text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || !Number.isSafeInteger(value)) throw new Error(USAGE);
  return value;
}

/** The command that repeats a run. */
function commandOf(what: string): string {
  const ignoring = values.ignore === '' ? '' : ` --ignore ${values.ignore}`;
  const mutant = values.mutant === undefined ? '' : ` --mutant '${values.mutant}'`;
  return `${COMMAND} ${what}${ignoring}${mutant} --trace`;
}

function seedCommandOf({ seed, chaosSteps, world, without = [] }: RunSettings): string {
  const course = world === undefined ? '' : ` --world ${world}`;
  const less = without.length === 0 ? '' : ` --without ${without.join(',')}`;
  return commandOf(`--seed ${seed} --steps ${chaosSteps}${course}${less}`);
}

async function runSeeds(from: number, to: number, chaosSteps: number): Promise<boolean> {
  const { runSeed } = await import('./run.js');
  const { simplifications } = await import('./simplify.js');
  const results: RunResult[] = [];
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  for (let seed = from; seed <= to; seed++) {
    const settings: RunSettings = {
      ...{ seed, chaosSteps, without: namesIn(values.without), ignored: new Set(namesIn(values.ignore)) },
      ...(values.world !== undefined && { world: wholeNumber(values.world) }),
    };
    const result = await runSeed(print ? { ...settings, print } : settings);
    results.push(result);
    if (!result.violation) continue;
    reportFailure(write, result, seedCommandOf(settings));
    if (values.shrink) {
      const shrunk = await shrink(settings, result, { run: runSeed, simplifications });
      write(`smallest of ${shrunk.runs} runs:`);
      reportFailure(write, shrunk.result, seedCommandOf(shrunk.settings));
    }
    if (values.first) break;
  }
  const { user, system } = process.cpuUsage(startedCpu);
  summarize(write, results, performance.now() - startedMs, (user + system) / 1000);
  return results.every(({ violation }) => !violation);
}

async function playScenarios(which: string): Promise<boolean> {
  const { play } = await import('./scenarios/play.js');
  const { scenarios } = await import('./scenarios/scenarios.js');
  const chosen = scenarios.filter(({ name }) => which === 'all' || name === which);
  if (chosen.length === 0) throw new Error(`no scenario is called ${which}`);
  let passed = true;
  for (const scenario of chosen) {
    const result = await play(scenario, print);
    write(`${result.violation ? 'FAILS' : 'passes'}: ${scenario.name}`);
    if (!result.violation) continue;
    passed = false;
    write(`  ${result.violation.message}`);
    if (which !== 'all') reportFailure(write, result, commandOf(`--scenario '${scenario.name}'`));
  }
  return passed;
}

/** New seeds on all cores, until stopped or for this many minutes. */
async function soakSeeds(chaosSteps: number): Promise<boolean> {
  const ignored = Object.keys(BROKEN_BY_SEEDS).join(',');
  const tally = await soak({
    program: new URL('./soak-worker.ts', import.meta.url),
    minutes: values.minutes === undefined ? null : Number(values.minutes),
    ...{ chaosSteps, write, from: values.from, workers: values.workers },
    replay: (seed) => `${COMMAND} --seed ${seed} --steps ${chaosSteps} --ignore ${ignored} --shrink`,
  });
  for (const [what, count] of tally.counts()) write(`  ${what}: ${count}`);
  write(tally.progress());
  return tally.total.failures.length === 0;
}

async function run(): Promise<boolean> {
  const steps = wholeNumber(values.steps);
  if (values.soak) return soakSeeds(steps);
  if (values.mutants) return huntAll(write, { within: wholeNumber(values.within), steps, only: positionals });
  // Everything loaded from here on has the mutant's fault.
  if (values.mutant !== undefined) useMutant(values.mutant);
  if (values.scenario !== undefined) return playScenarios(values.scenario);
  const [first, last] = values.seed ? [values.seed, values.seed] : values.seeds.split('..');
  return runSeeds(wholeNumber(first), wholeNumber(last), steps);
}

if (!(await run())) process.exitCode = 1;
