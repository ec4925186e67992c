import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { runCommand } from './index.js';
import { CommandLine } from './testing/command-line.js';

let t: CommandLine;
let home: string;
/** The library prints directly. */
let printed: string[];

beforeEach(async () => {
  t = await CommandLine.start();
  home = mkdtempSync(path.join(tmpdir(), 'baton-home-'));
  printed = [];
  jest.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await t.stop();
  rmSync(home, { recursive: true, force: true });
});

const env = (): Record<string, string> => ({ HOME: home });

/** The shell's suggestions after these words; the last one is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  printed = [];
  expect(await runCommand(['complete', '--', ...words], t.io(env()))).toBe(0);
  return printed.filter((line) => !line.startsWith(':')).map((line) => line.split('\t')[0]!);
}

describe('18: completion', () => {
  it.each(['bash', 'zsh', 'fish'])('prints a script for %s', async (shell) => {
    expect(await runCommand(['completion', shell], t.io(env()))).toBe(0);
    expect(printed.join('\n')).toContain('baton complete --');
  });

  it('knows no other shell', async () => {
    expect(await runCommand(['completion', 'cmd'], t.io(env()))).toBe(3);
    expect(t.noted.join('\n')).toContain('Allowed choices are');
  });

  it('offers commands, options, and the values of options', async () => {
    expect(await offered('tra')).toEqual(['transfer']);
    expect(await offered('')).toEqual(expect.arrayContaining(['run', 'status', 'pause', 'completion']));
    expect(await offered('status', '--')).toEqual(
      expect.arrayContaining(['--watch', '--output', '--cluster']),
    );
    expect(await offered('status', '--output', '')).toEqual(['table', 'wide', 'json', 'yaml']);
    expect(await offered('timing', 'mu')).toEqual(['multi-region']);
    expect(await offered('run', '--raft.ser')).toEqual(['--raft.server.id']);
  });

  it("offers this user's clusters and the members seen before", async () => {
    mkdirSync(path.join(home, '.config', 'baton'), { recursive: true });
    writeFileSync(
      path.join(home, '.config', 'baton', 'config.yaml'),
      'clusters: {prod: {rpc: [a:1]}, test: {rpc: [b:1]}}',
    );
    expect(await offered('status', '--cluster', 'p')).toEqual(['prod']);
    expect(await offered('transfer', '')).toEqual([]);
    expect(await runCommand(['status', '--rpc', t.cluster.url('a')], t.io(env()))).toBe(0);
    expect(await offered('transfer', '')).toEqual(['a', 'b', 'c']);
    expect(await offered('pause', 'a', 'b')).toEqual(['b']);
  });

  it('is silent about a damaged configuration', async () => {
    mkdirSync(path.join(home, '.config', 'baton'), { recursive: true });
    writeFileSync(path.join(home, '.config', 'baton', 'config.yaml'), '[');
    expect(await offered('status', '--cluster', '')).toEqual([]);
    expect(t.noted).toEqual([]);
  });
});
