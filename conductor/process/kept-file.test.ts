import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { KeptFile, UnreadableFileError } from './kept-file.js';

const schema = z.object({ format: z.literal(1), value: z.string() });

let directory: string;
let file: string;
let kept: KeptFile<z.infer<typeof schema>>;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'baton-kept-'));
  file = path.join(directory, 'kept.json');
  kept = new KeptFile(file, schema);
});
afterEach(() => rm(directory, { recursive: true }));

describe('KeptFile', () => {
  it('reads what was written, also by another process', async () => {
    expect(await kept.read()).toBeUndefined();
    await kept.write({ format: 1, value: 'a' });
    await kept.write({ format: 1, value: 'b' });
    expect(await new KeptFile(file, schema).read()).toEqual({ format: 1, value: 'b' });
    expect(await readdir(directory)).toEqual(['kept.json']);
  });

  it('holds the last of several concurrent writes', async () => {
    const values = Array.from({ length: 20 }, (_, index) => String(index));
    await Promise.all(values.map((value) => kept.write({ format: 1, value })));
    expect(await kept.read()).toEqual({ format: 1, value: '19' });
  });

  it('ignores a write that did not finish', async () => {
    await kept.write({ format: 1, value: 'whole' });
    await writeFile(`${file}.new`, '{"format":1,"val');
    expect(await kept.read()).toEqual({ format: 1, value: 'whole' });
    await kept.write({ format: 1, value: 'next' });
    expect(await kept.read()).toEqual({ format: 1, value: 'next' });
  });

  it.each([
    ['nothing', ''],
    ['half of it', '{"format":1,"val'],
    ['another format', '{"format":2,"value":"a"}'],
    ['something else', '[]'],
  ])('reports the name of a file that holds %s', async (_, text) => {
    await writeFile(file, text);
    await expect(kept.read()).rejects.toThrow(UnreadableFileError);
    await expect(kept.read()).rejects.toThrow(file);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('reports a failed disk as a storage error with the file, and still tries the next write', async () => {
    await mkdir(path.join(file, 'in-the-way'), { recursive: true });
    const failure = { name: 'StorageError', code: 'io', message: expect.stringContaining(file) };
    await expect(kept.write({ format: 1, value: 'a' })).rejects.toMatchObject(failure);
    await expect(kept.read()).rejects.toMatchObject(failure);
    await rm(file, { recursive: true });
    await kept.write({ format: 1, value: 'a' });
    expect(await kept.read()).toEqual({ format: 1, value: 'a' });
  });

  it('reports a write that does not end as a hung disk', async () => {
    const impatient = new KeptFile(file, schema, 0);
    const stuck = Promise.all(
      [1, 2, 3].map(() => impatient.write({ format: 1, value: 'a'.repeat(1 << 24) })),
    );
    await expect(stuck).rejects.toMatchObject({ name: 'StorageError', code: 'hung' });
  });
});
