import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const here = path.dirname(fileURLToPath(import.meta.url));
const files = readdirSync(here).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));

const FORBIDDEN =
  /\b(performance|Date|Math\.random|crypto|process(?=\.)|Buffer|Promise|async|await|setTimeout|setInterval|setImmediate|queueMicrotask|fetch|console|require|globalThis)\b|\bimport\s*\(/g;

const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');

function imports(source: string): string[] {
  const found = source.matchAll(
    /^(?:import|export)\s[^'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm,
  );
  return [...found].map((match) => (match[1] ?? match[2]) as string);
}

describe.each(files)('raft/core/%s', (file) => {
  const source = withoutComments(readFileSync(path.join(here, file), 'utf8'));

  it('has no clock, randomness, promise or I/O', () => {
    expect(source.match(FORBIDDEN) ?? []).toEqual([]);
  });

  it('imports nothing but the core', () => {
    expect(imports(source).filter((name) => !/^\.\/[a-z0-9-]+\.js$/.test(name))).toEqual([]);
  });
});

describe('the purity check itself', () => {
  it('sees what it looks for', () => {
    const impure = withoutComments(
      "import { crc32 } from 'node:zlib';\nimport type { A } from '../storage/storage.js';\nimport './b.js';\n" +
        '// Date in a comment is fine\nexport const f = async () => Math.random() + performance.now();\n',
    );
    expect(impure.match(FORBIDDEN)).toEqual(['async', 'Math.random', 'performance']);
    expect(imports(impure)).toEqual(['node:zlib', '../storage/storage.js', './b.js']);
  });

  it('looks at the whole core', () => {
    expect(files).toContain('raft-core.ts');
    expect(files.length).toBeGreaterThan(15);
  });
});
