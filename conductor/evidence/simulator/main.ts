import { parseArgs } from 'node:util';
import { runSeed, type RunResult, type RunSettings } from './run.js';

const COMMAND = 'node --import tsx conductor/evidence/simulator/main.ts';
const USAGE = `usage: ${COMMAND} [--seeds FROM..TO | --seed N] [--steps N] [--trace] [--without INVARIANT,…]`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1..50' },
    steps: { type: 'string', default: '20000' },
    trace: { type: 'boolean', default: false },
    without: { type: 'string', default: '' },
  },
});

const write = (line: string): void => void process.stdout.write(`${line}\n`);

function wholeNumber(text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || !Number.isSafeInteger(value)) throw new Error(USAGE);
  return value;
}

function report(settings: RunSettings, result: RunResult): void {
  const { seed, violation, virtualMs } = result;
  write(`\nseed ${seed} fails after ${result.events} events, ${Math.round(virtualMs)} virtual ms`);
  write(`  ${violation?.message}\n`);
  for (const line of result.lastEvents) write(line);
  write(`\noptions: ${JSON.stringify(result.options)}`);
  write(`trace hash: ${result.traceHash}`);
  write(`replay: ${COMMAND} --seed ${seed} --steps ${settings.steps} --trace\n`);
}

async function runSeeds(from: number, to: number, steps: number): Promise<boolean> {
  const excluded = new Set(values.without.split(',').filter(Boolean));
  const results: RunResult[] = [];
  const startedMs = performance.now();
  for (let seed = from; seed <= to; seed++) {
    const settings: RunSettings = { seed, steps, excluded };
    const result = await runSeed(values.trace ? { ...settings, print: write } : settings);
    results.push(result);
    if (result.violation) report(settings, result);
  }
  summarize(results, performance.now() - startedMs);
  return results.every(({ violation }) => !violation);
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
if (!(await runSeeds(wholeNumber(first), wholeNumber(last), wholeNumber(values.steps)))) process.exitCode = 1;
