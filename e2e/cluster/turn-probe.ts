import { existsSync } from 'node:fs';
import type { BatonProcess, LogLine } from './baton-process.js';
import { waitFor } from './wait-for.js';

/** The kernel's account of the CPU time of the thread that opens it; not every kernel keeps one. */
const THREAD_CLOCK = '/proc/thread-self/schedstat';
const TICK_MS = 5;
const MESSAGE = 'longest turn';

export const hasThreadClock = existsSync(THREAD_CLOCK);

/**
 * Runs in the measured process. Between two ticks of a timer the event loop has gone round; the CPU time that its
 * thread took for that does not depend on other work of the machine, as the time on the clock would.
 */
const PROBE = `
import { openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (isMainThread) {
  const file = openSync('${THREAD_CLOCK}');
  const bytes = Buffer.alloc(100);
  const cpuMs = () => Number(bytes.toString('latin1', 0, readSync(file, bytes, 0, 100, 0)).split(' ')[0]) / 1e6;
  let last = cpuMs();
  let longest = 0;
  setInterval(() => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  }, ${TICK_MS}).unref();
  process.on('SIGUSR2', () => {
    process.stdout.write(JSON.stringify({ msg: '${MESSAGE}', cpuMs: longest }) + '\\n');
    longest = 0;
  });
}`;

/** NODE_OPTIONS of a process whose event loop is to be measured with `longestTurnMs`. */
export const TURN_PROBE = `--import data:text/javascript,${encodeURIComponent(PROBE)}`;

/** CPU time of the longest turn of a process's event loop since the last query, in ms. */
export async function longestTurnMs(baton: BatonProcess): Promise<number> {
  const newest = (): LogLine | undefined => baton.log.filter(({ msg }) => msg === MESSAGE).at(-1);
  const before = newest();
  baton.signal('SIGUSR2');
  return waitFor(`the longest turn of ${baton.id}`, () => {
    const answer = newest();
    return answer === before ? undefined : (answer?.['cpuMs'] as number | undefined);
  });
}
