import { execFileSync } from 'node:child_process';

/** Runs a program of the system to its end. @throws Error with what it said, if it fails */
export function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
