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
        /(?<![\w./$*<{…-])(?:\.\.?\/)*[\w-][\w./-]*\.(?:ts|md|js|json|jsonl(?:\.gz)?|c|py|sh)\b(?![\w*(./-]*\()/g,
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

/** Whether a link leads somewhere, as a reader of the page follows it. */
export const leadsSomewhere = ({ from, target }: Omit<Reference, 'line'>): boolean =>
  existsSync(path.join(repository, path.dirname(from), target));

/** Whether a name is a file's: from the page's folder where it says so, else the end of some file's path. */
export const isKnownFile = (reference: Omit<Reference, 'line'>, files: readonly string[]): boolean =>
  reference.target.startsWith('.')
    ? leadsSomewhere(reference)
    : files.some((file) => `/${file}`.endsWith(`/${reference.target}`));
