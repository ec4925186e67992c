/**
 * Branches of the core that are worth reaching carry a comment: `// cover: name` before a statement, or
 * `cover: name` in a block comment at the end of a condition. Only the soak turns them into code.
 */
const OF_STATEMENT = /^[ \t]*\/\/ cover: (.+)\n/gm;
const OF_CONDITION = /[ \t]*\/\* cover: (.+?) \*\//g;

/** The source with a call of the global function `coverCore` at each mark; `slotOf` numbers the marks. */
export const withCounters = (source: string, slotOf: (name: string) => number): string =>
  source
    .replace(OF_STATEMENT, (_line, name: string) => `globalThis.coverCore(${slotOf(name)});\n`)
    .replace(OF_CONDITION, (_comment, name: string) => ` && globalThis.coverCore(${slotOf(name)})`);

export const withoutMarks = (source: string): string =>
  source.replace(OF_STATEMENT, '').replace(OF_CONDITION, '');
