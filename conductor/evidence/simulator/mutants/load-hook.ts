import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { InitializeHook, LoadHook } from 'node:module';
import ts from 'typescript';
import type { Mutant } from './mutant.js';
import { patched } from '../../../../raft/evidence/simulator/mutants/patched.js';

/** Data for the thread of the hooks. */
export interface HookData {
  mutant: Mutant;
  /** Root of the repository, with a trailing slash. */
  root: string;
}

let told: HookData | undefined;

export const initialize: InitializeHook<HookData> = (data) => {
  told = data;
};

/** Patches the mutant's sources while they are loaded, so that production code needs no switches for tests. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const file = told && url.startsWith('file:') ? fileURLToPath(url).replace(told.root, '') : undefined;
  const patches = told?.mutant.patches.filter((patch) => patch.file === file) ?? [];
  if (!file || patches.length === 0) return nextLoad(url, context);
  const source = patched(await readFile(fileURLToPath(url), 'utf8'), patches);
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  return { format: 'module', source: outputText, shortCircuit: true };
};
