import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { RaftCore } from '../../core/raft-core.js';
import type { CoreHost } from './core-host.js';

const CORE = fileURLToPath(new URL('../../core/', import.meta.url));

/** The sources of the core, by name without extension. */
let sources: Promise<ReadonlyMap<string, string>> | undefined;
/** Compiled code by source: two mutants differ only in a file or two. */
const compiled = new Map<string, ModuleBody>();

type ModuleBody = (require: (name: string) => object, exports: object) => void;

async function readSources(): Promise<ReadonlyMap<string, string>> {
  const files = (await readdir(CORE)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  return new Map(
    await Promise.all(
      files.map(
        async (name) => [path.basename(name, '.ts'), await readFile(path.join(CORE, name), 'utf8')] as const,
      ),
    ),
  );
}

function compile(source: string): ModuleBody {
  let body = compiled.get(source);
  if (!body) {
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    // Real modules would need a folder of files for each mutant, and stay in memory forever.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    body = new Function('require', 'exports', outputText) as ModuleBody;
    compiled.set(source, body);
  }
  return body;
}

/** Builds the core from changed sources, so that production code needs no switches for tests and no calls for coverage. */
export async function loadCore(
  change: (file: string, source: string) => string,
): Promise<CoreHost['createCore']> {
  sources ??= readSources();
  const bodies = new Map(
    [...(await sources)].map(([name, source]) => [name, compile(change(`${name}.ts`, source))]),
  );
  const loaded = new Map<string, object>();
  // The core imports only its own files (eslint enforces that).
  const load = (file: string): object => {
    const name = path.basename(file, '.js');
    const known = loaded.get(name);
    if (known) return known;
    const exports = {};
    loaded.set(name, exports);
    bodies.get(name)?.(load, exports);
    return exports;
  };
  const { RaftCore: Core } = load('raft-core.js') as { RaftCore: typeof RaftCore };
  return (options, restored) => new Core(options, restored);
}
