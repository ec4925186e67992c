import { parseArgs } from 'node:util';
import { hunt } from './mutants/hunt.js';
import { mutants } from './mutants/mutants.js';
import { useMutant } from './mutants/use-mutant.js';
import { reportFailure, summarize } from './report.js';
import type { RunResult, RunSettings } from './run.js';

const COMMAND = 'node --import tsx conductor/evidence/simulator/main.ts';
const USAGE = `usage: ${COMMAND} [--seeds FROM..TO | --seed N] [--steps N] [--without INVARIANT,…] [--first] [--mutant NAME] [--trace] | --scenario NAME|all [--mutant NAME] [--trace] | --mutants [--within SEEDS]`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1..50' },
    steps: { type: 'string', default: '15000' },
    /** Ends with the first seed that fails. */
    first: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    within: { type: 'string', default: '40' },
    trace: { type: 'boolean', default: false },
    without: { type: 'string', default: '' },
  },
});

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const print = values.trace ? write : undefined;

function wholeNumber(text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || !Number.isSafeInteger(value)) throw new Error(USAGE);
  return value;
}

/** The command that repeats a run. */
function commandOf(what: string): string {
  const without = values.without === '' ? '' : ` --without ${values.without}`;
  const mutant = values.mutant === undefined ? '' : ` --mutant '${values.mutant}'`;
  return `${COMMAND} ${what}${without}${mutant} --trace`;
}

async function runSeeds(from: number, to: number, steps: number): Promise<boolean> {
  const { runSeed } = await import('./run.js');
  const excluded = new Set(values.without.split(',').filter(Boolean));
  const results: RunResult[] = [];
  const startedMs = performance.now();
  for (let seed = from; seed <= to; seed++) {
    const settings: RunSettings = { seed, steps, excluded, ...(print && { print }) };
    const result = await runSeed(settings);
    results.push(result);
    if (!result.violation) continue;
    reportFailure(write, result, commandOf(`--seed ${seed} --steps ${steps}`));
    if (values.first) break;
  }
  summarize(write, results, performance.now() - startedMs);
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
    if (which === 'all') write(`  ${result.violation.message}`);
    else reportFailure(write, result, commandOf(`--scenario '${scenario.name}'`));
  }
  return passed;
}

/** The table of mutants, and what found them. */
async function huntMutants(within: number, steps: number): Promise<boolean> {
  let killed = 0;
  for (const mutant of mutants) {
    const by = await hunt(mutant, within, steps);
    if (by !== undefined) killed += 1;
    write(`${(by ?? 'SURVIVES').padEnd(70)}  ${mutant.name}`);
  }
  write(`${killed} of ${mutants.length} mutants killed`);
  return killed === mutants.length;
}

async function run(): Promise<boolean> {
  const steps = wholeNumber(values.steps);
  if (values.mutants) return huntMutants(wholeNumber(values.within), steps);
  // What is loaded from here on has the mutant's fault in it.
  if (values.mutant !== undefined) useMutant(values.mutant);
  if (values.scenario !== undefined) return playScenarios(values.scenario);
  const [first, last] = values.seed ? [values.seed, values.seed] : values.seeds.split('..');
  return runSeeds(wholeNumber(first), wholeNumber(last), steps);
}

if (!(await run())) process.exitCode = 1;
