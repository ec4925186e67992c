import { existsSync } from 'node:fs';
import path from 'node:path';
import { repository } from './import-graph.js';

/** A file, a folder or a heading that a document names. */
export interface Reference {
  /** The document, from the repository's root. */
  from: string;
  line: number;
  /** As it is written. */
  target: string;
}

/** Links of Markdown to other places of the repository: not to other sites. */
export function linksIn(from: string, text: string): Reference[] {
  return linesOf(text).flatMap(({ line, content }) =>
    [...content.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target as string)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => ({ from, line, target })),
  );
}

/** Names of files, as prose and comments give them: `decide.ts`, `control/decide.ts`, `docs/ERRORS.md`. */
export function fileNamesIn(from: string, text: string): Reference[] {
  return linesOf(text).flatMap(({ line, content }) =>
    [
      ...content.matchAll(
        /(?<![\w./$*<{…-])(?:\.\.?\/)*[\w-][\w./-]*\.(?:ts|md|js|json|jsonl|c|py|sh)\b(?![\w*(./-]*\()/g,
      ),
    ]
      .map(([target]) => target)
      .map((target) => ({ from, line, target })),
  );
}

const linesOf = (text: string): { line: number; content: string }[] =>
  text.split('\n').map((content, index) => ({ line: index + 1, content }));

/** GitHub's anchors of a document's headings. */
export function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading]) => heading as string);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replace(/ /g, '-'),
    ),
  );
}

/** Whether a name leads to a file: from the naming file's folder, from a folder above it, or as the end of a path. */
export function isKnownFile({ from, target }: Omit<Reference, 'line'>, files: readonly string[]): boolean {
  if (target.startsWith('.')) return existsSync(path.join(repository, path.dirname(from), target));
  return files.some((file) => file === target || file.endsWith(`/${target}`));
}
