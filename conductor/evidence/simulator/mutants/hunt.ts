import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BROKEN_BY_SEEDS, FAILING_SCENARIOS } from '../known-violations.js';
import { outcomesIn } from '../scenarios/outcomes.js';
import type { Mutant } from './mutants.js';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** What found a mutant: a seed or a scenario, and the invariant. Undefined when nothing did. */
export async function hunt({ name }: Mutant, seeds: number, steps: number): Promise<string | undefined> {
  const excluded = Object.keys(BROKEN_BY_SEEDS);
  const without = excluded.length > 0 ? ['--without', excluded.join(',')] : [];
  const played = await run('--mutant', name, '--scenario', 'all');
  for (const [scenario, invariant] of outcomesIn(played)) {
    if (invariant !== undefined && invariant !== FAILING_SCENARIOS[scenario])
      return `${invariant}, ${scenario}`;
  }
  const output = await run(
    '--mutant',
    name,
    '--seeds',
    `1..${seeds}`,
    '--steps',
    String(steps),
    '--first',
    ...without,
  );
  const [, invariant, seed] = /^FAILED ([\w-]+): (\d+)$/m.exec(output) ?? [];
  return invariant && `${invariant}, seed ${seed}`;
}

/** Modules stay loaded, so each mutant has a process of its own. */
function run(...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 64 << 20 };
    execFile(process.execPath, ['--import', 'tsx', MAIN, ...args], options, (_, stdout) => resolve(stdout));
  });
}
