import { parseArgs } from 'node:util';
import { positive, soak, type Report } from './soak.js';

/** Since the worker began, by mark. */
interface Covering extends Report {
  reached: Record<string, number>;
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    from: { type: 'string' },
    workers: { type: 'string' },
    steps: { type: 'string', default: '4000' },
  },
});

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const minutes = Number(values.minutes);
if (!(minutes > 0))
  throw new Error('usage: npm run soak -- [--minutes N] [--from SEED] [--workers N] [--steps N]');
const chaosSteps = positive(values.steps, 4000);
const reachedBy = new Map<number, Record<string, number>>();

const tally = await soak<Covering>({
  program: new URL('./worker.ts', import.meta.url),
  ...{ minutes, chaosSteps, write, from: values.from, workers: values.workers },
  replay: (seed) =>
    `node --import tsx raft/evidence/simulator/main.ts --seed ${seed} --steps ${chaosSteps} --shrink`,
  onReport: ({ reached }, worker) => reachedBy.set(worker, reached),
});

for (const [what, count] of tally.counts()) write(`  ${what}: ${count}`);
const marks = new Map<string, number>();
for (const reached of reachedBy.values()) {
  for (const [name, count] of Object.entries(reached)) marks.set(name, (marks.get(name) ?? 0) + count);
}
const missed = [...marks].filter(([, count]) => count === 0).map(([name]) => name);
write(`branches of the core: ${marks.size - missed.length} of ${marks.size} reached`);
for (const [name, count] of [...marks].sort(([, a], [, b]) => a - b).slice(0, 15))
  write(`  ${name}: ${count}`);
for (const name of missed) write(`  never: ${name}`);
const { committed, virtualMs, failures } = tally.total;
write(`committed entries ${committed}, virtual time ${Math.round(virtualMs / 1000)} s`);
write(tally.progress());
if (failures.length > 0) process.exitCode = 1;
