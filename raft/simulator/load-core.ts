import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import type { RaftCore } from '../core/raft-core.js';
import type { Hosting } from './hosting.js';

const CORE = fileURLToPath(new URL('../core/', import.meta.url));

/** The sources of the core, by file name. */
let sources: Promise<ReadonlyMap<string, string>> | undefined;

async function readSources(): Promise<ReadonlyMap<string, string>> {
  const files = (await readdir(CORE)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  return new Map(
    await Promise.all(
      files.map(async (name) => [name, await readFile(path.join(CORE, name), 'utf8')] as const),
    ),
  );
}

const compile = (source: string): string =>
  ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  }).outputText;

/**
 * Builds the core from changed sources, in a temporary folder: production code needs no switches for tests and no
 * calls for coverage.
 */
export async function loadCore(
  change: (file: string, source: string) => string,
): Promise<Hosting['createCore']> {
  sources ??= readSources();
  const folder = await mkdtemp(path.join(tmpdir(), 'raft-core-'));
  try {
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    for (const [name, source] of await sources) {
      await writeFile(path.join(folder, `${path.basename(name, '.ts')}.js`), compile(change(name, source)));
    }
    const module = (await import(pathToFileURL(path.join(folder, 'raft-core.js')).href)) as {
      RaftCore: typeof RaftCore;
    };
    return (options, restored) => new module.RaftCore(options, restored);
  } finally {
    await rm(folder, { recursive: true });
  }
}
