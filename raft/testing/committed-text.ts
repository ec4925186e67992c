import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from '@jest/globals';

/** Set by `npm run rewrite`: files are written instead of compared. */
const rewrites = (): boolean => process.env['BATON_REWRITE'] === '1';

/**
 * Requires that a text equals the committed file. `npm run rewrite` writes the file: read the diff before you commit it.
 */
export function expectCommitted(file: string, text: string): void {
  if (rewrites()) writeFileSync(file, text);
  const committed = existsSync(file) ? readFileSync(file, 'utf8') : 'nothing';
  expect({ file: path.basename(file), text }).toEqual({ file: path.basename(file), text: committed });
}

/** The file name of a story: its title in lower case without punctuation. */
export function fileNameOf(title: string): string {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return `${words.join('-')}.txt`;
}

/** Text files of a folder that no test writes. `npm run rewrite` removes them. */
export function orphansIn(folder: string, written: ReadonlySet<string>): string[] {
  const found = readdirSync(folder).filter((file) => file.endsWith('.txt') && !written.has(file));
  if (!rewrites()) return found;
  for (const file of found) rmSync(path.join(folder, file));
  return [];
}
