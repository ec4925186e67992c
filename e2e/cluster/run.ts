import { execFileSync } from 'node:child_process';

/** Runs a program of the system to its end. @returns its output @throws Error with its output, if it fails */
export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
}
