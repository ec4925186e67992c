import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { connectionLimits, openFilesMax, parseOpenFilesMax } from './connection-limits.js';

const CONSENSUS_AND_METRICS = 512 + 64;

describe('connection limits', () => {
  it.each([Infinity, 1_048_576, 16_000])('are the usual ones with %d descriptors', (files) => {
    const limits = { rpc: 4096, flashblocksClients: 10_000 };
    expect(connectionLimits(files, { flashblocks: true })).toEqual(limits);
    expect(connectionLimits(files, { flashblocks: false })).toEqual(limits);
  });

  it.each([8192, 5000, 4096, 2048, 1024])('leave enough of %d descriptors to consensus and disk', (files) => {
    for (const flashblocks of [true, false]) {
      const { rpc, flashblocksClients, warning } = connectionLimits(files, { flashblocks });
      const taken = rpc + (flashblocks ? flashblocksClients : 0);
      expect(taken).toBeLessThanOrEqual(files - Math.min(1024, 0.7 * files));
      if (files >= 2048) expect(files - taken).toBeGreaterThan(CONSENSUS_AND_METRICS);
      if (flashblocks || files <= 5000) expect(warning).toMatchObject({ openFilesMax: files, rpc });
    }
  });

  it('let the local op-node in even with very few descriptors', () => {
    expect(connectionLimits(64, { flashblocks: true })).toMatchObject({ rpc: 64, flashblocksClients: 16 });
  });

  it('are low, and are not logged, if the limit of the system is unknown', () => {
    expect(connectionLimits(undefined, { flashblocks: false })).toEqual({
      rpc: 3072,
      flashblocksClients: 16,
    });
  });
});

describe('the limit of descriptors', () => {
  it.each([
    ['Max open files            1024                 4096                 files     \n', 1024],
    ['Max open files            unlimited            unlimited            files     \n', Infinity],
    ['Max processes             1                    1                    processes \n', undefined],
  ])('%j', (line, expected) => {
    expect(parseOpenFilesMax(`Limit   Soft Limit   Hard Limit   Units\n${line}`)).toBe(expected);
  });

  it('is that of this process', async () => {
    const file = path.join(repositoryRoot, 'conductor/process/connection-limits.ts');
    const script = `import { openFilesMax } from ${JSON.stringify(file)}; console.log(openFilesMax());`;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -n 321 && exec "$@"', 'sh', ...node], {
      cwd: repositoryRoot,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stdout).toBe('321\n');
    expect(openFilesMax()).toBeGreaterThan(0);
  });
});
