import type { Order, Report } from './soak.js';
import { noWork } from './tally.js';

/** What a soak reads from a run. */
interface Ran {
  violation: { message: string } | null | undefined;
  steps: number;
  virtualMs: number;
  committed: number;
  counts: ReadonlyMap<string, number>;
}

const REPORT_EVERY_MS = 2_000;

/**
 * A worker process of a soak: waits for its order, runs seed after seed, and reports.
 *
 * @param more is added to each report
 */
export function workOn(
  run: (seed: number, chaosSteps: number) => Ran | Promise<Ran>,
  more: () => object = () => ({}),
): void {
  process.once('message', (order: Order) => void work(order, run, more));
}

async function work(
  { firstSeed, stride, chaosSteps, minutes }: Order,
  run: (seed: number, chaosSteps: number) => Ran | Promise<Ran>,
  more: () => object,
): Promise<void> {
  const endsAtMs = minutes === null ? Infinity : performance.now() + minutes * 60_000;
  let done = noWork();
  let reportedMs = performance.now();
  for (let seed = firstSeed; performance.now() < endsAtMs; seed += stride) {
    const { violation, steps, virtualMs, committed, counts } = await run(seed, chaosSteps);
    done.seeds += 1;
    done.steps += steps;
    done.virtualMs += virtualMs;
    done.committed += committed;
    for (const [what, count] of counts) done.counts[what] = (done.counts[what] ?? 0) + count;
    if (violation) done.failures.push({ seed, violation: violation.message });
    if (performance.now() - reportedMs < REPORT_EVERY_MS) continue;
    await send({ ...done, ...more(), finished: false });
    done = noWork();
    reportedMs = performance.now();
  }
  await send({ ...done, ...more(), finished: true });
  process.disconnect();
}

const send = (report: Report): Promise<void> =>
  new Promise((resolve) => void process.send?.(report, undefined, undefined, () => resolve()));
