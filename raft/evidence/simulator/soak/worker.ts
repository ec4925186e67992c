import { runSeed } from '../run.js';
import { loadCovered } from './coverage.js';

/** What a worker is to do. */
export interface Order {
  firstSeed: number;
  stride: number;
  chaosSteps: number;
  minutes: number;
}

/** What a worker did since its last report. */
export interface Report {
  seeds: number;
  steps: number;
  virtualMs: number;
  committed: number;
  counts: Record<string, number>;
  /** Since the worker began, by mark. */
  reached: Record<string, number>;
  failures: { seed: number; violation: string }[];
  finished: boolean;
}

const REPORT_EVERY_MS = 2_000;

async function work({ firstSeed, stride, chaosSteps, minutes }: Order): Promise<void> {
  const { hosting, reached } = await loadCovered();
  const endsAtMs = performance.now() + minutes * 60_000;
  let report = emptyReport();
  let reportedMs = performance.now();
  for (let seed = firstSeed; performance.now() < endsAtMs; seed += stride) {
    const result = runSeed({ seed, chaosSteps, hosting });
    report.seeds += 1;
    report.steps += result.steps;
    report.virtualMs += result.virtualMs;
    report.committed += result.committed;
    for (const [what, count] of result.counts) report.counts[what] = (report.counts[what] ?? 0) + count;
    if (result.violation) report.failures.push({ seed, violation: result.violation.message });
    if (performance.now() - reportedMs < REPORT_EVERY_MS) continue;
    await send({ ...report, reached: reached() });
    report = emptyReport();
    reportedMs = performance.now();
  }
  await send({ ...report, reached: reached(), finished: true });
  process.disconnect();
}

const emptyReport = (): Report => ({
  seeds: 0,
  steps: 0,
  virtualMs: 0,
  committed: 0,
  counts: {},
  reached: {},
  failures: [],
  finished: false,
});

const send = (report: Report): Promise<void> =>
  new Promise((resolve) => void process.send?.(report, undefined, undefined, () => resolve()));

process.once('message', (order: Order) => {
  void work(order);
});
