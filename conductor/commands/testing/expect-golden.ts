import { fileURLToPath } from 'node:url';
import { expectCommitted } from '../../../raft/testing/committed-text.js';

/** Expects this text in the golden file of that name; `npm run rewrite` writes it. */
export function expectGolden(name: string, text: string): void {
  expectCommitted(fileURLToPath(new URL(`../cluster/golden/${name}`, import.meta.url)), `${text}\n`);
}
