import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import type { LoadedEntry } from '../index.js';
import { Counter } from './counter.js';

it('the example of the README runs: three nodes count, one stops, the others go on', async () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main], {
    timeout: 60_000,
  });
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^[abc] leads; 1 added: 1$/),
    '2 added: 3',
    expect.stringMatching(/^[abc] stopped, [abc] leads and reads 3$/),
    '4 added: 7',
  ]);
});

const entry = (index: number, amount: number): LoadedEntry => ({
  ...{ index, term: 1, kind: 'command', byteLength: 4, crc: 0, chainHash: 0 },
  data: Counter.add(amount),
});

it('the counter can go back to every index that it kept', async () => {
  const counter = new Counter();
  for (const index of [2, 3, 4]) counter.apply(entry(index, 10 * index));
  const data = await counter.snapshotAt(3);
  const configuration = { index: 1, configuration: { members: [] } };
  const other = new Counter();
  other.restore({ index: 3, term: 1, chainHash: 0, configuration, data });
  expect([counter.value, other.value]).toEqual([90, 50]);
});
