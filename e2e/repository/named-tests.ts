import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../common/testing/repository-root.js';

/** A row of a document: what is shown, by which test. */
export interface NamedTest {
  subject: string;
  /** Path from the root of the repository. */
  file: string;
  /** The beginning of its name. */
  title: string;
}

/** @param name path from the root of the repository */
export const readDocument = (name: string): string => readFileSync(path.join(repositoryRoot, name), 'utf8');

/** All rows of a page that name a test: subject, file, beginning of the test's name. */
export function namedTests(page: string): NamedTest[] {
  return [...page.matchAll(/^\| ([^|]+?) +\| `([^`]+\.test\.ts)` +\| `([^`]+)` +\|$/gm)].map(
    ([, subject, file, title]) => ({ subject: subject!, file: file!, title: title! }),
  );
}

/** Whether the file has no test whose name begins so. */
export function namesNothing({ file, title }: NamedTest): boolean {
  const source = readDocument(file);
  return !["'", '"', '`'].some((quote) => source.includes(quote + title));
}
