import { execFile } from 'node:child_process';
import { batonCommand } from './baton-process.js';

export interface BatonRun {
  code: number;
  stdout: string;
  stderr: string;
}

const ENDS_WITHIN_MS = 60_000;

/** Runs `baton` to its end, as an operator does. Of this process's environment, only PATH reaches it. */
export function runBaton(argv: readonly string[], env: Record<string, string> = {}): Promise<BatonRun> {
  const [program, ...first] = batonCommand();
  const options = { env: { PATH: process.env['PATH'], ...env }, timeout: ENDS_WITHIN_MS };
  return new Promise((resolve) => {
    execFile(program, [...first, ...argv], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? NaN) : 0, stdout, stderr }),
    );
  });
}
