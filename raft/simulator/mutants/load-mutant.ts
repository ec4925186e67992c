import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import type { RaftCore } from '../../core/raft-core.js';
import { faithfulHosting, type Hosting } from '../hosting.js';
import type { Mutant } from './mutants.js';

const CORE = fileURLToPath(new URL('../../core/', import.meta.url));

/**
 * Builds the core with the mutant's fault in it, in a temporary folder: production code needs no switches for tests.
 * @throws Error when the text to replace does not occur exactly once: the mutant is out of date
 */
export async function loadMutant(mutant: Mutant): Promise<Hosting> {
  const hosting: Hosting = { ...faithfulHosting, ...mutant.hosting };
  const { patches } = mutant;
  if (!patches) return hosting;
  const folder = await mkdtemp(path.join(tmpdir(), 'raft-mutant-'));
  try {
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    for (const name of await readdir(CORE)) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      let source = await readFile(path.join(CORE, name), 'utf8');
      for (const { file, find, replace } of patches) {
        if (file !== name) continue;
        if (source.split(find).length !== 2) {
          throw new Error(`mutant ${mutant.name}: ${file} does not contain its text exactly once`);
        }
        source = source.replace(find, () => replace);
      }
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      });
      await writeFile(path.join(folder, name.replace(/\.ts$/, '.js')), outputText);
    }
    const module = (await import(pathToFileURL(path.join(folder, 'raft-core.js')).href)) as {
      RaftCore: typeof RaftCore;
    };
    return { ...hosting, createCore: (options, restored) => new module.RaftCore(options, restored) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
