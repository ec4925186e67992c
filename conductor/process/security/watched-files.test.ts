import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../raft/testing/eventually.js';
import { WatchedFiles } from './watched-files.js';

describe('WatchedFiles', () => {
  let folder: string;
  let ending: AbortController;
  const values: string[] = [];
  const troubles: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'baton-watched-'));
    ending = new AbortController();
    values.length = troubles.length = 0;
  });

  afterEach(async () => {
    ending.abort();
    await rm(folder, { recursive: true });
  });

  /** Files `a` and `b`. Their value is both contents; `bad` has no value. */
  async function watch(
    paths = ['a', 'b'].map((name) => path.join(folder, name)),
  ): Promise<WatchedFiles<string>> {
    const files = new WatchedFiles<string>({
      paths,
      read: (contents) => {
        const text = contents.join('+');
        if (text.includes('bad')) throw new Error(`${text} cannot be used`);
        return text;
      },
      onChange: (value) => values.push(value),
      onTrouble: ({ message }) => troubles.push(message),
      intervalMs: 1,
    });
    await files.open();
    void files.watch(ending.signal);
    return files;
  }

  const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);

  it('reads them again when one has changed', async () => {
    await write('a', '1');
    await write('b', '2');
    const files = await watch();
    expect(files.value).toBe('1+2');

    await write('b', '3');

    await eventually(() => files.value === '1+3', 'the files read again');
    expect(values.at(-1)).toBe('1+3');
  });

  it('keeps the old value while they cannot be used, logs that once, and continues when they can', async () => {
    await write('a', '1');
    await write('b', '2');
    const files = await watch();

    await write('b', 'bad');
    await eventually(() => troubles.includes('1+bad cannot be used'), 'the files read again');
    await rm(path.join(folder, 'a'));
    await eventually(() => troubles.some((text) => text.includes('ENOENT')), 'the files read again');
    expect(files.value).toBe('1+2');
    expect(new Set(troubles).size).toBe(troubles.length);

    await write('b', '4');
    await write('a', '3');
    await eventually(() => files.value === '3+4', 'the files read again');
  });

  it('sees Kubernetes replace a mounted secret, where only the link to the folder changes', async () => {
    const mount = async (name: string, text: string): Promise<void> => {
      await mkdir(path.join(folder, name));
      await write(`${name}/tls.crt`, text);
      await symlink(name, path.join(folder, '..data_tmp'));
      await rename(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
    };
    await mount('..1', 'old');
    await symlink('..data/tls.crt', path.join(folder, 'tls.crt'));
    const files = await watch([path.join(folder, 'tls.crt')]);

    await mount('..2', 'new');

    await eventually(() => files.value === 'new', 'the files read again');
  });
});
