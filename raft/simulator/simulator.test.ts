import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { faithfulHosting } from './hosting.js';
import { runSeed } from './run.js';

const SEEDS = 300;
const LIMIT_MS = 240_000;

/** The simulator runs outside of jest: its sandbox makes every global variable slow. */
function simulate(...args: string[]): Promise<{ passed: boolean; output: string }> {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const cwd = path.dirname(main);
  return new Promise((resolve) => {
    const options = { cwd, timeout: LIMIT_MS, maxBuffer: 64 << 20 };
    execFile(process.execPath, ['--import', 'tsx', main, ...args], options, (error, stdout, stderr) =>
      resolve({ passed: error === null, output: `${stdout}${stderr}` }),
    );
  });
}

describe('the simulator', () => {
  let seeds: Awaited<ReturnType<typeof simulate>>;
  let mutants: Awaited<ReturnType<typeof simulate>>;

  beforeAll(async () => {
    [seeds, mutants] = await Promise.all([
      simulate('--seeds', `1..${SEEDS}`),
      simulate('--mutants', 'common', '--within', '20'),
    ]);
  }, LIMIT_MS);

  const countOf = (what: string): number =>
    Number(seeds.output.match(new RegExp(`^ *${what}:? (\\d+)$`, 'm'))?.[1] ?? 0);

  it(`finds no broken invariant in ${SEEDS} seeds of chaos and healing`, () => {
    if (!seeds.passed) throw new Error(seeds.output);
  });

  // A run that never met a fault proves nothing.
  it.each([
    'crash',
    'pause',
    'suspended machine',
    'slow disk',
    'clogged links',
    'partition: isolate',
    'partition: one-way split',
    'message lost',
    'message repeated',
    'message very late',
    'evidence of death',
    'restart of all',
    'stays dead',
    'stays deaf',
    'stays mute',
    'ask: read',
    'ask: transfer',
    'ask: membership',
    'event: leaderReady',
    'event: configuration',
    'event: snapshotInstalled',
    'committed entries',
  ])('met: %s', (what) => {
    expect(countOf(what)).toBeGreaterThan(SEEDS / 10);
  });

  it('finds most mutants within 20 seeds; the others are rarer', () => {
    const [, killed] = /^(\d+) of \d+ mutants killed$/m.exec(mutants.output) ?? [];
    expect(Number(killed)).toBeGreaterThan(25);
  });
});

describe('a run', () => {
  const traceHash = (seed: number, hosting = faithfulHosting): number =>
    runSeed({ seed, chaosSteps: 2000, hosting }).traceHash;

  it('is the same for the same seed (I23)', () => {
    for (const seed of [1, 2, 3]) expect(traceHash(seed)).toBe(traceHash(seed));
  });

  it('is another for another seed', () => {
    expect(traceHash(1)).not.toBe(traceHash(2));
  });

  it('differs when the core is not deterministic', () => {
    const unsteady: typeof faithfulHosting = {
      ...faithfulHosting,
      createCore(options, restored) {
        const core = faithfulHosting.createCore(options, restored);
        const step = core.step.bind(core);
        core.step = (input) => step({ ...input, random: Math.random() });
        return core;
      },
    };
    expect(traceHash(1, unsteady)).not.toBe(traceHash(1, unsteady));
  });
});
