import { parseArgs } from 'node:util';
import { followsThePaper } from '../paper/follows-the-paper.js';
import { honestHost } from './core-host.js';
import { hunt } from './mutants/hunt.js';
import { loadMutant } from './mutants/load-mutant.js';
import { mutants, seedsAllowed } from './mutants/mutants.js';
import { runSeed, type RunResult, type RunSettings } from './run.js';
import { shrink } from './shrink.js';
import { simplifications } from './simplify.js';

const COMMAND = 'node --import tsx raft/evidence/simulator/main.ts';
const USAGE = `usage: ${COMMAND} [--seeds FROM..TO | --seed N] [--steps N] [--trace] [--paper EVERY] [--shrink] [--without NAME,…] [--world N] [--mutant NAME] | --mutants common|all [--within SEEDS]`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1..200' },
    steps: { type: 'string', default: '4000' },
    trace: { type: 'boolean', default: false },
    paper: { type: 'string', default: '0' },
    world: { type: 'string' },
    without: { type: 'string', default: '' },
    shrink: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    mutants: { type: 'string' },
    within: { type: 'string' },
  },
});

const write = (line: string): void => void process.stdout.write(`${line}\n`);

function wholeNumber(text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || !Number.isSafeInteger(value)) throw new Error(USAGE);
  return value;
}

/** The command that repeats a run. */
function commandOf({ seed, chaosSteps, world, without = [] }: RunSettings): string {
  return [
    `${COMMAND} --seed ${seed} --steps ${chaosSteps}`,
    world === undefined ? '' : ` --world ${world}`,
    without.length === 0 ? '' : ` --without ${without.join(',')}`,
    values.mutant === undefined ? '' : ` --mutant '${values.mutant}'`,
  ].join('');
}

async function report(settings: RunSettings, result: RunResult): Promise<void> {
  const { seed, violation, virtualMs } = result;
  write(`\nseed ${seed} fails after ${result.steps} steps, ${Math.round(virtualMs)} virtual ms`);
  write(`  ${violation?.message}\n`);
  for (const line of result.lastEvents) write(line);
  write(`\noptions: ${JSON.stringify(result.options)}`);
  write(`trace hash: ${result.traceHash}`);
  write(`replay: ${commandOf(settings)}\n`);
  if (!values.shrink) return;
  const shrunk = await shrink(settings, result, { run: runSeed, simplifications });
  write(`smallest of ${shrunk.runs} runs: ${shrunk.result.steps} steps, ${shrunk.result.violation?.message}`);
  write(`replay: ${commandOf(shrunk.settings)} --trace\n`);
}

function summarize(results: readonly RunResult[], elapsedMs: number, cpuMs: number): void {
  const total = (of: (result: RunResult) => number): number =>
    results.reduce((sum, result) => sum + of(result), 0);
  const steps = total((result) => result.steps);
  const counts = new Map<string, number>();
  for (const result of results) {
    for (const [what, count] of result.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  const spread = (durationsMs: (result: RunResult) => readonly number[]): string => {
    const sorted = results
      .flatMap((result) => durationsMs(result).map((ms) => ms / result.options.timing.electionTimeoutMs))
      .sort((a, b) => a - b);
    const quantile = (q: number): string => (sorted[Math.floor(q * (sorted.length - 1))] ?? NaN).toFixed(2);
    return `p50 ${quantile(0.5)}, p99 ${quantile(0.99)}, worst ${quantile(1)} of ${sorted.length}`;
  };
  for (const [what, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) write(`  ${what}: ${count}`);
  write(`committed entries ${total((result) => result.committed)}`);
  write(`virtual time ${Math.round(total((result) => result.virtualMs) / 1000)} s`);
  write(`in election timeouts: recovery ${spread(({ recoveriesMs }) => recoveriesMs)}`);
  write(`                      failover ${spread(({ failoversMs }) => failoversMs)}`);
  write(
    `${results.length} seeds, ${steps} steps, ${Math.round((steps / elapsedMs) * 1000)} steps per second, ${Math.round((steps / cpuMs) * 1000)} per second of CPU`,
  );
}

async function runSeeds(from: number, to: number, steps: number): Promise<boolean> {
  const mutant = mutants.find(({ name }) => name === values.mutant);
  if (values.mutant !== undefined && !mutant) throw new Error(`no mutant is called ${values.mutant}`);
  const coreHost = mutant ? await loadMutant(mutant) : honestHost;
  const paperEvery = wholeNumber(values.paper);
  const results: RunResult[] = [];
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  for (let seed = from; seed <= to; seed++) {
    const settings: RunSettings = {
      seed,
      chaosSteps: steps,
      coreHost,
      without: values.without === '' ? [] : values.without.split(','),
      ...(paperEvery > 0 && seed % paperEvery === 0 && { observers: () => [followsThePaper()] }),
      ...(values.world === undefined ? {} : { world: wholeNumber(values.world) }),
    };
    const result = runSeed(values.trace ? { ...settings, print: write } : settings);
    results.push(result);
    if (result.violation) await report(settings, result);
  }
  const { user, system } = process.cpuUsage(startedCpu);
  summarize(results, performance.now() - startedMs, (user + system) / 1000);
  const failed = results.filter((result) => result.violation).map((result) => result.seed);
  write(`trace hash of all: ${results.reduce((hash, result) => (hash * 31 + result.traceHash) >>> 0, 0)}`);
  if (failed.length > 0) write(`FAILED: ${failed.join(', ')}`);
  return failed.length === 0;
}

/** The table of mutants: what killed them, and how many seeds it took. */
async function huntMutants(which: string, steps: number): Promise<boolean> {
  if (which !== 'common' && which !== 'all') throw new Error(USAGE);
  const hunted = mutants.filter((mutant) => which === 'all' || mutant.rareWithin === undefined);
  let killed = 0;
  write('seeds  of at most  killed by  bug  mutant');
  for (const mutant of hunted) {
    const allowed = values.within ? wholeNumber(values.within) : seedsAllowed(mutant);
    const result = await hunt(mutant, steps, allowed);
    if (result) killed += 1;
    const columns = [
      String(result?.seed ?? '-').padStart(5),
      String(allowed).padStart(10),
      (result?.violation?.invariant ?? 'SURVIVES').padStart(9),
      String(mutant.bug ?? '').padStart(3),
      mutant.name,
    ];
    write(columns.join('  '));
  }
  write(`${killed} of ${hunted.length} mutants killed`);
  return killed === hunted.length;
}

const [first, last] = values.seed ? [values.seed, values.seed] : values.seeds.split('..');
const [from, to, steps] = [wholeNumber(first), wholeNumber(last), wholeNumber(values.steps)];
const passed = values.mutants ? await huntMutants(values.mutants, steps) : await runSeeds(from, to, steps);
if (!passed) process.exitCode = 1;
