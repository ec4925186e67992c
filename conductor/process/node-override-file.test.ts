import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silent } from '../testing/chain.js';
import { NodeOverrideFile } from './node-override-file.js';

let directory: string;
let fatal: Error[];

const overrideFile = (): NodeOverrideFile =>
  new NodeOverrideFile({ directory, logger: silent, onFatal: (error) => void fatal.push(error) });
const file = (): string => path.join(directory, 'node-override.json');

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'baton-override-'));
  fatal = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('NodeOverrideFile', () => {
  it('keeps when it began, and that it has ended', async () => {
    expect(await overrideFile().read()).toBeNull();
    await overrideFile().write(7);
    expect(await readFile(file(), 'utf8')).toBe('{"format":1,"sinceMs":7}\n');
    expect(await overrideFile().read()).toBe(7);
    await overrideFile().write(null);
    expect(await overrideFile().read()).toBeNull();
  });

  it('a file that says nothing counts as an override, until op-node is asked', async () => {
    await writeFile(file(), '{"format":2}');
    expect(await overrideFile().read()).toBeGreaterThan(0);
  });

  it('reports a failed write to its caller, then ends the process', async () => {
    await rm(directory, { recursive: true });
    await expect(overrideFile().write(7)).rejects.toMatchObject({ code: 'io' });
    expect(fatal).toEqual([]);
    await new Promise(setImmediate);
    expect(fatal).toHaveLength(1);
  });
});
