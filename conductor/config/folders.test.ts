import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { absolute, pathMistake } from './folders.js';
import { configOf, parsed, required } from './testing/command-line.js';

describe('paths', () => {
  it('are relative to the folder that the process was started in, even if it changes folder later', () => {
    const here = process.cwd();
    const config = configOf(['--raft.storage.dir=data/../raft', '--rollup.config=r.json', '--pprof.path=']);
    process.chdir('/');
    try {
      expect(config.raft.storageDir).toBe(path.join(here, 'raft'));
      expect(config.rollup.configPath).toBe(path.join(here, 'r.json'));
      expect(config.pprof.path).toBe('');
      expect(absolute('/a/./b')).toBe('/a/b');
    } finally {
      process.chdir(here);
    }
  });

  it.each([
    ['~/raft', 'a leading ~ is not'],
    ['~', 'a leading ~ is not'],
    ['$HOME/raft', 'a variable'],
    ['/data/${NODE}', 'a variable'],
    ['"/data"', 'quotation marks'],
    ['file:///data', 'a file: URL'],
  ])('%s looks like a mistake', (text, mistake) => {
    expect(pathMistake(text)).toContain(mistake);
    const argv = Object.entries({ ...required, 'raft.storage.dir': text }).flatMap(([name, value]) => [
      `--${name}=${value}`,
    ]);
    const { config, warnings } = parsed(argv);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^--raft\.storage\.dir or OP_CONDUCTOR_RAFT_STORAGE_DIR: .*; the path in use is /,
      ),
    ]);
    expect(warnings[0]).toContain(mistake);
    expect(warnings[0]!.endsWith(config.raft.storageDir)).toBe(true);
  });

  it.each(['/data', 'data', './a~b', '/cost$', "it's"])('%s does not', (text) => {
    expect(pathMistake(text)).toBeUndefined();
  });
});
