import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** Folder of recordings and real payloads: `../shared` beside the repository, or `BATON_SHARED`. */
export const sharedFolder =
  process.env['BATON_SHARED'] ??
  path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../shared');

export function hasShared(file: string): boolean {
  return existsSync(path.join(sharedFolder, file));
}

/** The objects of a JSON-lines file there, gzipped or not. */
export function readJsonLines<T>(file: string): T[] {
  const raw = readFileSync(path.join(sharedFolder, file));
  const text = file.endsWith('.gz') ? gunzipSync(raw).toString() : raw.toString();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
