import type { RunResult } from './run.js';

type Write = (line: string) => void;

/** The report of a failed run. @param replay the command that repeats it */
export function reportFailure(write: Write, result: RunResult, replay: string): void {
  const { violation, virtualMs, steps } = result;
  write(`\nfails after ${steps} steps, ${Math.round(virtualMs)} virtual ms`);
  write(`  ${violation?.message}\n`);
  for (const line of result.lastEvents) write(line);
  write(`\noptions: ${JSON.stringify(result.options)}`);
  write(`trace hash: ${result.traceHash}`);
  write(`replay: ${replay}\n`);
}

/** Counts of events in all runs together, and which runs failed. */
export function summarize(
  write: Write,
  results: readonly RunResult[],
  elapsedMs: number,
  cpuMs: number,
): void {
  const total = (of: (result: RunResult) => number): number =>
    results.reduce((sum, result) => sum + of(result), 0);
  const counts = new Map<string, number>();
  for (const result of results) {
    for (const [what, count] of result.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  for (const [what, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) write(`  ${what}: ${count}`);
  const steps = total((result) => result.steps);
  const perSecond = (ms: number): number => Math.round((steps / ms) * 1000);
  write(`virtual time ${Math.round(total((result) => result.virtualMs) / 1000)} s`);
  write(
    `${results.length} seeds, ${steps} steps, ${perSecond(elapsedMs)} steps per second, ${perSecond(cpuMs)} per second of CPU`,
  );
  write(`trace hash of all: ${results.reduce((hash, { traceHash }) => (hash * 31 + traceHash) >>> 0, 0)}`);
  const broken = new Map<string, number[]>();
  for (const { seed, violation } of results) {
    if (violation) broken.set(violation.invariant, [...(broken.get(violation.invariant) ?? []), seed]);
  }
  for (const [invariant, seeds] of broken) write(`FAILED ${invariant}: ${seeds.join(', ')}`);
}
