import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { StartFacts } from '../facts.js';
import { EXECUTABLE_ENV, EXECUTABLE_OPTIONS, judgeStart } from './judge-start.js';

const asExecutable: StartFacts = {
  nodeVersion: 'v20.15.0',
  oldestNode: '20.15',
  env: EXECUTABLE_ENV,
  nodeOptions: EXECUTABLE_OPTIONS,
};

const levels = (changes: Partial<StartFacts>): string[] =>
  judgeStart({ ...asExecutable, ...changes }).map(({ level, code }) => code ?? level);

describe('how the process was started', () => {
  it('is compared with the first line of the executable', () => {
    const [first] = readFileSync(new URL('../../../main.ts', import.meta.url), 'utf8').split('\n');
    const env = Object.entries(EXECUTABLE_ENV).map(([name, value]) => `${name}=${value}`);
    expect(first).toBe(`#!/usr/bin/env -S ${env.join(' ')} node ${EXECUTABLE_OPTIONS.join(' ')}`);
    expect(levels({})).toEqual(['ok', 'ok']);
  });

  it.each<[string, Partial<StartFacts>]>([
    ['UV_THREADPOOL_SIZE=16', { env: { MALLOC_ARENA_MAX: '2' } }],
    ['--max-semi-space-size=4', { nodeOptions: ['--heap-growing-percent=100', '--import', 'tsx'] }],
  ])('reports a missing %s', (missing, changes) => {
    const found = judgeStart({ ...asExecutable, ...changes });
    expect(found[1]).toMatchObject({
      level: 'warning',
      code: 'started-otherwise',
      text: `started without ${missing}`,
    });
  });

  it('accepts other values, and the other spelling of node', () => {
    const nodeOptions = ['--max_semi_space_size=16', '--heap_growing_percent=50'];
    expect(levels({ env: { ...EXECUTABLE_ENV, UV_THREADPOOL_SIZE: '64' }, nodeOptions })).toEqual([
      'ok',
      'ok',
    ]);
  });
});

describe('the version of Node.js', () => {
  it.each([
    ['v20.15.0', 'ok'],
    ['v20.16.1', 'ok'],
    ['v22.1.0', 'ok'],
    ['v20.9.0', 'old-node'],
    ['v18.20.0', 'old-node'],
  ])('%s: %s', (nodeVersion, expected) => {
    expect(levels({ nodeVersion })[0]).toBe(expected);
  });
});
