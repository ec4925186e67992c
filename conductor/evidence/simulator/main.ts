import { parseArgs } from 'node:util';
import { runSeed, type RunResult, type RunSettings } from './run.js';
import { play } from './scenarios/play.js';
import { scenarios } from './scenarios/scenarios.js';

const COMMAND = 'node --import tsx conductor/evidence/simulator/main.ts';
const USAGE = `usage: ${COMMAND} [--seeds FROM..TO | --seed N] [--steps N] [--without INVARIANT,…] [--trace] | --scenario NAME|all [--trace]`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1..50' },
    steps: { type: 'string', default: '15000' },
    scenario: { type: 'string' },
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

function report(result: RunResult, replay: string): void {
  const { violation, virtualMs, events } = result;
  write(`\nfails after ${events} events, ${Math.round(virtualMs)} virtual ms`);
  write(`  ${violation?.message}\n`);
  for (const line of result.lastEvents) write(line);
  write(`\noptions: ${JSON.stringify(result.options)}`);
  write(`trace hash: ${result.traceHash}`);
  write(`replay: ${COMMAND} ${replay}\n`);
}

async function runSeeds(from: number, to: number, steps: number): Promise<boolean> {
  const excluded = new Set(values.without.split(',').filter(Boolean));
  const results: RunResult[] = [];
  const startedMs = performance.now();
  for (let seed = from; seed <= to; seed++) {
    const settings: RunSettings = { seed, steps, excluded, ...(print && { print }) };
    const result = await runSeed(settings);
    results.push(result);
    const without = values.without === '' ? '' : ` --without ${values.without}`;
    if (result.violation) report(result, `--seed ${seed} --steps ${steps}${without} --trace`);
  }
  summarize(results, performance.now() - startedMs);
  return results.every(({ violation }) => !violation);
}

async function playScenarios(which: string): Promise<boolean> {
  const chosen = scenarios.filter(({ name }) => which === 'all' || name === which);
  if (chosen.length === 0) throw new Error(`no scenario is called ${which}`);
  let passed = true;
  for (const scenario of chosen) {
    const result = await play(scenario, print);
    if (!result.violation) {
      write(`passes: ${scenario.name}`);
      continue;
    }
    passed = false;
    write(`FAILS: ${scenario.name}`);
    if (which === 'all') write(`  ${result.violation.message}`);
    else report(result, `--scenario '${scenario.name}' --trace`);
  }
  return passed;
}

function summarize(results: readonly RunResult[], elapsedMs: number): void {
  const total = (of: (result: RunResult) => number): number =>
    results.reduce((sum, result) => sum + of(result), 0);
  const counts = new Map<string, number>();
  for (const result of results) {
    for (const [what, count] of result.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  for (const [what, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) write(`  ${what}: ${count}`);
  const events = total((result) => result.events);
  write(`virtual time ${Math.round(total((result) => result.virtualMs) / 1000)} s`);
  write(
    `${results.length} seeds, ${events} events, ${Math.round((events / elapsedMs) * 1000)} events per second`,
  );
  write(`trace hash of all: ${results.reduce((hash, { traceHash }) => (hash * 31 + traceHash) >>> 0, 0)}`);
  const broken = new Map<string, number[]>();
  for (const { seed, violation } of results) {
    if (violation) broken.set(violation.invariant, [...(broken.get(violation.invariant) ?? []), seed]);
  }
  for (const [invariant, seeds] of broken) write(`FAILED ${invariant}: ${seeds.join(', ')}`);
}

const [first, last] = values.seed ? [values.seed, values.seed] : values.seeds.split('..');
const passed = values.scenario
  ? await playScenarios(values.scenario)
  : await runSeeds(wholeNumber(first), wholeNumber(last), wholeNumber(values.steps));
if (!passed) process.exitCode = 1;
