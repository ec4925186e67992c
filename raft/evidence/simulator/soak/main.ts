import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Order, Report } from './worker.js';

const USAGE = 'usage: npm run soak -- [--minutes N] [--from SEED] [--workers N] [--steps N]';
const SEEDS_SPAN = 2 ** 30;
const PRINT_EVERY_MS = 30_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    from: { type: 'string' },
    workers: { type: 'string' },
    steps: { type: 'string', default: '4000' },
  },
});

const write = (line: string): void => void process.stdout.write(`${line}\n`);

function positive(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value > 0)) throw new Error(USAGE);
  return value;
}

/** Sums of what the workers did. */
class Tally {
  seeds = 0;
  steps = 0;
  virtualMs = 0;
  committed = 0;
  readonly counts = new Map<string, number>();
  readonly failures: Report['failures'] = [];
  private readonly reachedBy = new Map<number, Record<string, number>>();

  add(worker: number, report: Report): void {
    this.seeds += report.seeds;
    this.steps += report.steps;
    this.virtualMs += report.virtualMs;
    this.committed += report.committed;
    for (const [what, count] of Object.entries(report.counts)) {
      this.counts.set(what, (this.counts.get(what) ?? 0) + count);
    }
    this.failures.push(...report.failures);
    this.reachedBy.set(worker, report.reached);
  }

  reached(): [string, number][] {
    const sum = new Map<string, number>();
    for (const reached of this.reachedBy.values()) {
      for (const [name, count] of Object.entries(reached)) sum.set(name, (sum.get(name) ?? 0) + count);
    }
    return [...sum];
  }
}

/** Every run of a soak sees other clusters, unless it is told where to begin. */
const firstSeed = Math.floor(positive(values.from, Date.now() % SEEDS_SPAN));
const workers = Math.floor(positive(values.workers, availableParallelism()));
const chaosSteps = Math.floor(positive(values.steps, 4000));
const minutes = positive(values.minutes, 10);
const tally = new Tally();
const startedMs = performance.now();

function progress(): void {
  const { seeds, steps, failures } = tally;
  const elapsedMs = performance.now() - startedMs;
  const perSecond = Math.round((steps / elapsedMs) * 1000);
  write(
    `${Math.round(elapsedMs / 1000)} s: ${seeds} seeds, ${steps} steps, ${perSecond} per second, ${failures.length} failures`,
  );
}

function runWorker(worker: number): Promise<void> {
  const order: Order = { firstSeed: firstSeed + worker, stride: workers, chaosSteps, minutes };
  const child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx', '--max-semi-space-size=32'],
  });
  let finished = false;
  return new Promise((resolve, reject) => {
    child.on('message', (report: Report) => {
      tally.add(worker, report);
      finished ||= report.finished;
      for (const { seed, violation } of report.failures) write(`FAILED seed ${seed}: ${violation}`);
    });
    child.on('exit', (code, signal) => {
      if (finished) resolve();
      else reject(new Error(`worker ${worker} ended early: ${signal ?? code}`));
    });
    child.send(order);
  });
}

write(`${workers} workers for ${minutes} min, seeds from ${firstSeed}`);
const printing = setInterval(progress, PRINT_EVERY_MS);
try {
  await Promise.all(Array.from({ length: workers }, (_, worker) => runWorker(worker)));
} finally {
  clearInterval(printing);
}

for (const [what, count] of [...tally.counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  write(`  ${what}: ${count}`);
const marks = tally.reached();
const missed = marks.filter(([, count]) => count === 0).map(([name]) => name);
write(`branches of the core: ${marks.length - missed.length} of ${marks.length} reached`);
for (const [name, count] of marks.sort(([, a], [, b]) => a - b).slice(0, 15)) write(`  ${name}: ${count}`);
for (const name of missed) write(`  never: ${name}`);
write(`committed entries ${tally.committed}, virtual time ${Math.round(tally.virtualMs / 1000)} s`);
progress();
for (const { seed } of tally.failures) {
  write(
    `replay: node --import tsx raft/evidence/simulator/main.ts --seed ${seed} --steps ${chaosSteps} --shrink`,
  );
}
if (tally.failures.length > 0) process.exitCode = 1;
