import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from '@jest/globals';

/** Compares what a command prints with a file; `UPDATE_GOLDEN=1` writes it. */
export function expectGolden(name: string, text: string): void {
  const file = new URL(`../cluster/golden/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, `${text}\n`);
  expect(text).toBe(readFileSync(file, 'utf8').trimEnd());
}
