import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The folder of the checkout. */
export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** The folders that have sources. */
export const SOURCE_FOLDERS = ['common', 'raft', 'health', 'rpc', 'conductor', 'e2e'];

const isSkipped = (folder: string): boolean =>
  ['node_modules', 'dist', '.cache', '.git', 'coverage'].includes(folder);

/** Every file below a folder of the repository, as a path from its root. */
export function filesBelow(folder: string): string[] {
  return readdirSync(path.join(repository, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (!entry.isDirectory()) return [name];
    return isSkipped(entry.name) ? [] : filesBelow(name);
  });
}

export const sourceOf = (file: string): string => readFileSync(path.join(repository, file), 'utf8');

/** Tests and what only tests use. */
export const isForTests = (file: string): boolean =>
  file.endsWith('.test.ts') || /(^|\/)testing\//.test(file) || /^e2e\/(tests|repository)\//.test(file);

/** Files of ours that each TypeScript file imports, types included; paths from the repository's root. */
export function importGraph(): ReadonlyMap<string, readonly string[]> {
  const files = SOURCE_FOLDERS.flatMap(filesBelow).filter((file) => file.endsWith('.ts'));
  return new Map(files.map((file) => [file, importsOf(file)]));
}

function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(sourceOf(file), true, true);
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => path.posix.join(path.posix.dirname(file), name).replace(/\.js$/, '.ts'));
}

/** Groups of files that import each other in a loop (Tarjan's strongly connected components of two or more). */
export function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];

  function visit(file: string): number {
    const number = order.size;
    order.set(file, number);
    let low = number;
    stack.push(file);
    for (const imported of graph.get(file) ?? []) {
      if (!order.has(imported)) low = Math.min(low, visit(imported));
      else if (stack.includes(imported)) low = Math.min(low, lowest.get(imported) ?? order.get(imported)!);
    }
    lowest.set(file, low);
    if (low === number) {
      const circle = stack.splice(stack.indexOf(file));
      if (circle.length > 1) circles.push(circle.sort());
    }
    return low;
  }

  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}
