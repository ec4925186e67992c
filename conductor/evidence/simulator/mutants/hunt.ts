import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BROKEN_BY_SEEDS, FAILING_SCENARIOS } from '../known-violations.js';
import { outcomesIn } from '../scenarios/outcomes.js';
import type { Mutant } from './mutant.js';
import { mutants } from './mutants.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const TRANSFORM = fileURLToPath(new URL('jest-transform.ts', import.meta.url));

interface HuntOptions {
  /** How many seeds are tried, and how long each runs. */
  within: number;
  steps: number;
}

/** Prints a table of the mutants and what found them. False when one survives. @param only names; none for all */
export async function huntAll(
  write: (line: string) => void,
  { only, ...options }: HuntOptions & { only: readonly string[] },
): Promise<boolean> {
  const chosen = mutants.filter(({ name }) => only.length === 0 || only.includes(name));
  const left = [...chosen];
  let killed = 0;
  const huntOn = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant; mutant = left.shift()) {
      const by = await hunt(mutant, options);
      if (by !== undefined) killed += 1;
      write(`${(by ?? 'SURVIVES').padEnd(70)}  ${mutant.name}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, huntOn));
  write(`${killed} of ${chosen.length} mutants killed`);
  return killed === chosen.length && killed > 0;
}

/** What found a mutant; undefined when nothing did. */
export function hunt({ name, hunter }: Mutant, options: HuntOptions): Promise<string | undefined> {
  if ('scenario' in hunter) return playScenario(name, hunter.scenario);
  if ('test' in hunter) return runTest(name, hunter.test);
  return runSeeds(name, options);
}

async function playScenario(mutant: string, scenario: string): Promise<string | undefined> {
  const { output } = await simulate('--mutant', mutant, '--scenario', scenario);
  const invariant = outcomesIn(output).get(scenario);
  const isNews = invariant !== undefined && invariant !== FAILING_SCENARIOS[scenario];
  return isNews ? `${invariant}, ${scenario}` : undefined;
}

async function runSeeds(mutant: string, { within, steps }: HuntOptions): Promise<string | undefined> {
  const ignored = Object.keys(BROKEN_BY_SEEDS).join(',');
  const range = ['--seeds', `1..${within}`, '--steps', String(steps), '--first'];
  const { output } = await simulate('--mutant', mutant, ...range, '--ignore', ignored);
  const [, invariant, seed] = /^FAILED ([\w-]+): (\d+)$/m.exec(output) ?? [];
  return invariant && `${invariant}, seed ${seed}`;
}

interface JestReport {
  testResults?: { assertionResults: { status: string; fullName: string }[] }[];
}

/** Only a test that ran and failed counts as having found it. */
async function runTest(mutant: string, test: string): Promise<string | undefined> {
  const config = {
    rootDir: ROOT,
    testEnvironment: 'node',
    extensionsToTreatAsEsm: ['.ts'],
    moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
    transform: { '^.+\\.ts$': TRANSFORM },
    modulePathIgnorePatterns: ['<rootDir>/(?:.*/)?dist/', '<rootDir>/.cache'],
  };
  const jest = [`${ROOT}node_modules/jest/bin/jest.js`, '--config', JSON.stringify(config), '--runInBand'];
  const { output } = await run([...jest, '--runTestsByPath', test, '--json', '--silent'], {
    NODE_OPTIONS: '--experimental-vm-modules --no-warnings --import tsx',
    BATON_MUTANT: mutant,
  });
  const { testResults = [] } = JSON.parse(output || '{}') as JestReport;
  const ran = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = ran.find(({ status }) => status === 'failed');
  return failed && `${path.basename(test)}: ${failed.fullName}`;
}

/** Modules stay loaded, so each mutant gets its own process. */
const simulate = (...args: string[]): Promise<{ output: string }> =>
  run(['--max-semi-space-size=32', '--import', 'tsx', MAIN, ...args]);

function run(args: string[], env: Record<string, string> = {}): Promise<{ output: string }> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, maxBuffer: 64 << 20, env: { ...process.env, ...env } };
    execFile(process.execPath, args, options, (_, output) => resolve({ output }));
  });
}
