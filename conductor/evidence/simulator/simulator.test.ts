import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { BROKEN_BY_SEEDS, FAILING_SCENARIOS } from './known-violations.js';
import { FAULT_NAMES } from './options.js';
import { runSeed } from './run.js';
import { outcomesIn } from './scenarios/outcomes.js';
import { scenarios } from './scenarios/scenarios.js';

/** About ten million steps, including the calm after the faults: a minute and a half of one core. */
const SEEDS = 260;
const STEPS = 20_000;
const STEPS_MIN = 8_000_000;
const LIMIT_MS = 480_000;
const IGNORED = Object.keys(BROKEN_BY_SEEDS);

/** The simulator runs outside of jest, whose sandbox makes every global variable slow. */
function run(...args: string[]): Promise<{ passed: boolean; output: string }> {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const options = { cwd: path.dirname(main), timeout: LIMIT_MS, maxBuffer: 64 << 20 };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--max-semi-space-size=32', '--import', 'tsx', main, ...args],
      options,
      (error, stdout, stderr) => resolve({ passed: error === null, output: `${stdout}${stderr}` }),
    );
  });
}

const ignoring = IGNORED.length > 0 ? ['--ignore', IGNORED.join(',')] : [];
const hashIn = (output: string): string | undefined => /^trace hash of all: (\d+)$/m.exec(output)?.[1];

describe('the simulator of the whole cluster', () => {
  let seeds: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    seeds = await run('--seeds', `1..${SEEDS}`, '--steps', String(STEPS), ...ignoring);
  }, LIMIT_MS);

  it(`finds no broken invariant in ${SEEDS} seeds`, () => {
    if (!seeds.passed) throw new Error(seeds.output);
    const [, steps] = /^\d+ seeds, (\d+) steps, /m.exec(seeds.output) ?? [];
    expect(Number(steps)).toBeGreaterThan(STEPS_MIN);
  });

  // A run that never met a fault proves nothing.
  it.each([
    ...FAULT_NAMES.map((name) => `fault: ${name}`),
    'founded beside a sequencer that runs',
    'stays broken: machine',
    'stays broken: op-node',
    'stays broken: large messages',
    'op-node reset',
    'overruled by L1',
    'disk went back',
    'disk replaced',
    'voter again',
    'identity used twice',
    'leader gone',
    'post',
    'witness elected',
    'leader elected',
    'sequencer started by conductor',
    'sequencer started by itself',
    'block published',
  ])('met: %s', (what) => {
    const count = Number(new RegExp(`^ *${what}: (\\d+)$`, 'm').exec(seeds.output)?.[1] ?? 0);
    expect(count).toBeGreaterThan(0);
  });
});

describe('a run', () => {
  it('is the same for the same seed, in another process too', async () => {
    const settings = { seed: 3, chaosSteps: 1500, ignored: new Set(IGNORED) };
    const { traceHash } = await runSeed(settings);
    expect((await runSeed(settings)).traceHash).toBe(traceHash);
    const { output } = await run('--seed', '3', '--steps', '1500', ...ignoring);
    expect(hashIn(output)).toBe(String(traceHash));
  });

  it('differs for another seed', async () => {
    const settings = { chaosSteps: 500, ignored: new Set<string>() };
    const one = await runSeed({ ...settings, seed: 1 });
    const two = await runSeed({ ...settings, seed: 2 });
    expect(one.traceHash).not.toBe(two.traceHash);
  });

  it('restores the real time of the process', async () => {
    const before = Date.now();
    await runSeed({ seed: 1, chaosSteps: 100 });
    expect(Date.now() - before).toBeLessThan(LIMIT_MS);
    expect(Date.now()).toBeGreaterThanOrEqual(before);
  });
});

describe('a failing run', () => {
  it(
    'is shrunk to a smaller one that breaks the same invariant and can be repeated',
    async () => {
      const mutant = ['--mutant', 'whoever leads an empty log starts where it is'];
      const seeds = ['--seeds', '1..20', '--steps', '300', '--first', '--shrink'];
      const { output } = await run(...seeds, ...mutant, ...ignoring);
      const all = (pattern: RegExp): string[] =>
        [...output.matchAll(pattern)].map(([, found]) => found ?? '');
      const [before, after] = all(/^fails after (\d+) steps/gm).map(Number) as [number, number];
      expect(after).toBeLessThan(before);
      const [first, last] = all(/^fails after .+\n {2}([\w-]+): /gm);
      expect([first, last]).toEqual(['started-on-committed', 'started-on-committed']);
      const less = all(/ --without (\S+) /g).at(-1) as string;
      expect(less.split(',').length).toBeGreaterThan(5);
      const [seed, steps, world] = ['seed', 'steps', 'world'].map(
        (name) => all(new RegExp(`^replay: .* --${name} (\\d+) `, 'gm')).at(-1) as string,
      ) as [string, string, string];
      const again = ['--seed', seed, '--steps', steps, '--world', world, '--without', less];
      const hash = all(/^trace hash: (\d+)$/gm).at(-1) as string;
      expect((await run(...again, ...mutant, ...ignoring)).output).toContain(`\ntrace hash: ${hash}\n`);
    },
    LIMIT_MS,
  );

  it('knows what it can omit', async () => {
    await expect(runSeed({ seed: 1, chaosSteps: 1, without: ['gravity'] })).rejects.toThrow(
      /there is no gravity/,
    );
  });
});

describe('scenarios', () => {
  let broken: ReadonlyMap<string, string | undefined>;

  beforeAll(async () => {
    broken = outcomesIn((await run('--scenario', 'all')).output);
  }, LIMIT_MS);

  it('have unique names, and include those that fail', () => {
    const names = scenarios.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toEqual(expect.arrayContaining(Object.keys(FAILING_SCENARIOS)));
    expect([...broken.keys()].sort()).toEqual([...names].sort());
  });

  it.each(scenarios.map(({ name }) => name))('%s', (name) => {
    expect(broken.get(name)).toBe(FAILING_SCENARIOS[name]);
  });
});
