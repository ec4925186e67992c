import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const here = path.dirname(fileURLToPath(import.meta.url));

/** What is replicated or decided must follow from its input alone. */
const PURE = [
  'chain/chain-state.ts',
  'control/decide.ts',
  'control/eligibility.ts',
  'control/lag-tracker.ts',
];

const FORBIDDEN =
  /\b(performance|Date|Math\.random|crypto|process|Promise|async|await|setTimeout|setInterval|setImmediate|queueMicrotask|fetch|logger|console|require|globalThis|yield)\b|\bimport\s*\(/g;

const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');

/** Files whose values (not only types) this one imports. */
function importedValues(source: string): string[] {
  const imports = source.matchAll(
    /^(?:import|export)\s(?!type\b)[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm,
  );
  return [...imports].map((match) => (match[1] ?? match[2]) as string);
}

describe.each(PURE)('%s', (file) => {
  const source = withoutComments(readFileSync(path.join(here, file), 'utf8'));

  it('has no clock, randomness, promise or I/O', () => {
    expect(source.match(FORBIDDEN) ?? []).toEqual([]);
  });

  it('imports no values but those of other pure files', () => {
    const files = importedValues(source).map((name) =>
      path.relative(here, path.resolve(here, path.dirname(file), name.replace(/\.js$/, '.ts'))),
    );
    expect(files.filter((name) => !PURE.includes(name))).toEqual([]);
  });
});

describe('the purity check itself', () => {
  it('sees what it looks for', () => {
    const impure = withoutComments(
      "import { x } from 'node:fs';\nimport './y.js';\nimport type { T } from './t.js';\n" +
        '// Date in a comment is fine\nexport const f = async () => Math.random() + performance.now();\n',
    );
    expect(impure.match(FORBIDDEN)).toEqual(['async', 'Math.random', 'performance']);
    expect(importedValues(impure)).toEqual(['node:fs', './y.js']);
  });
});
