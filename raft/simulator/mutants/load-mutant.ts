import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import type { RaftCore } from '../../core/raft-core.js';
import { faithfulHosting, type Hosting } from '../hosting.js';
import type { Mutant, Patch } from './mutants.js';

const CORE = fileURLToPath(new URL('../../core/', import.meta.url));

/** The compiled core, by file name without its extension. */
let compiledCore: Promise<ReadonlyMap<string, { source: string; compiled: string }>> | undefined;

async function compileCore(): Promise<ReadonlyMap<string, { source: string; compiled: string }>> {
  const files = (await readdir(CORE)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const sources = await Promise.all(
    files.map(async (name) => {
      const source = await readFile(path.join(CORE, name), 'utf8');
      return [path.basename(name, '.ts'), { source, compiled: compile(source) }] as const;
    }),
  );
  return new Map(sources);
}

const compile = (source: string): string =>
  ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  }).outputText;

/**
 * Builds the core with the mutant's fault in it, in a temporary folder: production code needs no switches for tests.
 * @throws Error when the text to replace does not occur exactly once: the mutant is out of date
 */
export async function loadMutant(mutant: Mutant): Promise<Hosting> {
  const hosting: Hosting = { ...faithfulHosting, ...mutant.hosting };
  const { patches } = mutant;
  if (!patches) return hosting;
  compiledCore ??= compileCore();
  const core = await compiledCore;
  const folder = await mkdtemp(path.join(tmpdir(), 'raft-mutant-'));
  try {
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    for (const [name, { source, compiled }] of core) {
      const own = patches.filter(({ file }) => file === `${name}.ts`);
      const code = own.length === 0 ? compiled : compile(applyPatches(mutant, source, own));
      await writeFile(path.join(folder, `${name}.js`), code);
    }
    const module = (await import(pathToFileURL(path.join(folder, 'raft-core.js')).href)) as {
      RaftCore: typeof RaftCore;
    };
    return { ...hosting, createCore: (options, restored) => new module.RaftCore(options, restored) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function applyPatches(mutant: Mutant, source: string, patches: readonly Patch[]): string {
  for (const { file, find, replace } of patches) {
    if (source.split(find).length !== 2) {
      throw new Error(`mutant "${mutant.name}": ${file} does not contain its text exactly once`);
    }
    source = source.replace(find, () => replace);
  }
  return source;
}
