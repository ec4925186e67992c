import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { Tally, type Work } from './tally.js';

/** The order to a worker. */
export interface Order {
  firstSeed: number;
  stride: number;
  chaosSteps: number;
  /** Null: until it is stopped. */
  minutes: number | null;
}

/** What a worker did since its last report. */
export interface Report extends Work {
  finished: boolean;
}

export interface Soak<R extends Report> {
  /** The script of a worker process, which calls `workOn`. */
  program: URL;
  minutes: number | null;
  chaosSteps: number;
  /** As on the command line. Defaults depend on the time and the machine. */
  from: string | undefined;
  workers: string | undefined;
  write: (line: string) => void;
  /** The command that repeats a seed. */
  replay: (seed: number) => string;
  onReport?: (report: R, worker: number) => void;
}

const SEEDS_SPAN = 2 ** 30;
const PRINT_EVERY_MS = 30_000;

/** Runs new seeds on worker processes, and reports those that fail. By default every soak uses other seeds. */
export async function soak<R extends Report>(options: Soak<R>): Promise<Tally> {
  const { minutes, write, replay, chaosSteps } = options;
  const firstSeed = positive(options.from, Date.now() % SEEDS_SPAN);
  const workers = positive(options.workers, availableParallelism());
  const tally = new Tally();
  write(
    `${workers} workers for ${minutes === null ? 'as long as they may' : `${minutes} min`}, seeds from ${firstSeed}`,
  );
  const printing = setInterval(() => write(tally.progress()), PRINT_EVERY_MS);
  const onReport = (report: R, worker: number): void => {
    tally.add(report);
    for (const { seed, violation } of report.failures) {
      write(`FAILED seed ${seed}: ${violation}`);
      write(`replay: ${replay(seed)}`);
    }
    options.onReport?.(report, worker);
  };
  try {
    await Promise.all(
      Array.from({ length: workers }, (_, worker) => {
        const order: Order = { firstSeed: firstSeed + worker, stride: workers, chaosSteps, minutes };
        return runWorker<R>(options.program, order, (report) => onReport(report, worker));
      }),
    );
  } finally {
    clearInterval(printing);
  }
  return tally;
}

/** A number of the command line. @throws Error for one that is not positive */
export function positive(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Math.floor(Number(text));
  if (!(value > 0)) throw new Error(`${text} is no positive number`);
  return value;
}

function runWorker<R extends Report>(
  program: URL,
  order: Order,
  onReport: (report: R) => void,
): Promise<void> {
  const child = fork(program, { execArgv: ['--import', 'tsx', '--max-semi-space-size=32'] });
  let finished = false;
  return new Promise((resolve, reject) => {
    child.on('message', (report: R) => {
      finished ||= report.finished;
      onReport(report);
    });
    child.on('exit', (code, signal) => {
      if (finished) resolve();
      else reject(new Error(`a worker ended early: ${signal ?? code}`));
    });
    child.send(order);
  });
}
