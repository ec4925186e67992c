/**
 * Branches of the core that are worth reaching carry a comment of two lines before their first statement: the name of
 * the branch, and the test that explains it. Only the soak turns the comments into code.
 *
 *   // cover: an append leaves a gap
 *   // accept.test.ts "refuses what does not reach its end, and says where that is"
 */
const MARK = /^[ \t]*\/\/ cover: (.+)\n[ \t]*\/\/ (\S+\.ts) "(.+)"\n/gm;

/** A marked branch of the core. */
export interface Mark {
  name: string;
  /** Seen from `raft/core`. */
  testFile: string;
  /** Title of the test. One that ends with an ellipsis is the beginning of a longer title. */
  testTitle: string;
}

/** The marks of a source, in order. */
export const marksOf = (source: string): Mark[] =>
  [...source.matchAll(MARK)].map(([, name = '', testFile = '', testTitle = '']) => ({
    name,
    testFile,
    testTitle,
  }));

/** The source with a call of the global function `coverCore` at each mark; `slotOf` numbers the marks. */
export const withCounters = (source: string, slotOf: (name: string) => number): string =>
  source.replace(MARK, (_mark, name: string) => `globalThis.coverCore(${slotOf(name)});\n`);

export const withoutMarks = (source: string): string => source.replace(MARK, '');
