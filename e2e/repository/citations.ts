import type { Reference } from './references.js';

/** A piece of prose in one line: a paragraph of a document, a row of a table, or a comment. */
export interface Prose {
  /** The file, from the repository's root. */
  from: string;
  /** Where it begins. */
  line: number;
  text: string;
}

/** The paragraphs of a document. */
export function paragraphsOf(from: string, document: string): Prose[] {
  return joined(
    from,
    document.split('\n').map((line) => ({ text: line.trim(), standsAlone: line.startsWith('|') })),
  );
}

/** The comments of a TypeScript file. */
export function commentsOf(from: string, source: string): Prose[] {
  return joined(
    from,
    source.split('\n').map((line) => {
      const [, ofOwnLine] = /^\s*(?:\/\*\*?|\*\/?|\/\/)(?:\s+|$)(.*?)(?:\s*\*\/)?$/.exec(line) ?? [];
      if (ofOwnLine !== undefined) return { text: ofOwnLine, standsAlone: false };
      return { text: /\s\/\/ ([^\\]*)$/.exec(line)?.[1] ?? '', standsAlone: true };
    }),
  );
}

/** Lines that follow each other are one piece, up to an empty one. */
function joined(from: string, lines: readonly { text: string; standsAlone: boolean }[]): Prose[] {
  const found: Prose[] = [];
  let open: Prose | undefined;
  for (const [index, { text, standsAlone }] of lines.entries()) {
    if (open && text !== '' && !standsAlone) open.text += ` ${text}`;
    else if (text !== '') found.push((open = { from, line: index + 1, text }));
    if (text === '' || standsAlone) open = undefined;
  }
  return found;
}

const ITEM = String.raw`(?:fig\. [\d.]*\d|§[\d.]*\d)`;
const ITEMS = String.raw`\)?,? ${ITEM}(?:(?:,|;| and) ${ITEM})*`;
/** Papers and standards that everybody can look up. docs/GLOSSARY.md says where. */
const PUBLIC = new RegExp(String.raw`(?:Raft thesis|Raft paper|RFC \d+)${ITEMS}`, 'g');
const OF_A_PAGE = new RegExp(String.raw`([\w/.-]+\.md)${ITEMS}`, 'g');

/** Sections that are cited without saying of what, or of a page that does not have them. */
export function unknownSections(
  { from, line, text }: Prose,
  sectionsOf: (page: string) => Set<string>,
): Reference[] {
  const unknown = (page: string, cited: string): Reference[] =>
    [...cited.matchAll(/§([\d.]*\d)/g)]
      .filter(([, section]) => !sectionsOf(page).has(section!))
      .map(([target]) => ({ from, line, target: page === from ? target : `${page} ${target}` }));
  const rest = text.replace(PUBLIC, '');
  return [
    ...[...rest.matchAll(OF_A_PAGE)].flatMap(([cited, page]) => unknown(page!, cited)),
    ...unknown(from, rest.replace(OF_A_PAGE, '')),
  ];
}

/** Numbers of the headings of a page: `## 3. …`, `### 3.1 …`. */
export const numberedSections = (page: string): Set<string> =>
  new Set([...page.matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm)].map(([, number]) => number!));

/** Bugs that are cited by a number that is not in the catalogue, or not as "catalogue no. N". */
export function unknownBugs({ from, line, text }: Prose, catalogue: Set<string>): Reference[] {
  const bare = [...text.matchAll(/(?<![`'\w])bugs? \d+/gi)].map(([target]) => target);
  const cited = [...text.matchAll(/catalogue no\. (\d+)/g)].filter(([, number]) => !catalogue.has(number!));
  return [...bare, ...cited.map(([target]) => target)].map((target) => ({ from, line, target }));
}

/** Numbers of the headings of the catalogue of bugs. */
export const numbersOf = (catalogue: string): Set<string> =>
  new Set([...catalogue.matchAll(/^## No\. (\d+)$/gm)].map(([, number]) => number!));

/** Folders that a document names in backticks. */
export const foldersIn = ({ from, line, text }: Prose): Reference[] =>
  [...text.matchAll(/`((?:[\w-]+\/)+)`/g)].map(([, target]) => ({ from, line, target: target! }));
