import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, it } from '@jest/globals';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const sharedDir = process.env['BATON_SHARED'] ?? path.resolve(repository, '../shared');

/** `describe` for tests on real data, which lie beside the repository; says why it skips where they do not. */
export function describeWithShared(name: string, tests: () => void): void {
  if (existsSync(sharedDir)) describe(name, tests);
  else
    describe(name, () =>
      it.skip(`needs ${sharedDir}; set BATON_SHARED to the folder with real data`, () => {}),
    );
}

/** Reads a text file of the shared folder. */
export function readSharedText(file: string): string {
  return readFileSync(path.join(sharedDir, file), 'utf8');
}

/** Reads a `.jsonl` or `.jsonl.gz` file of the shared folder. */
export function readJsonLines<T>(file: string): T[] {
  const raw = readFileSync(path.join(sharedDir, file));
  const text = (file.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
