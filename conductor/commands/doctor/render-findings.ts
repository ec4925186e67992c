import { worstOf, type Finding, type Level } from './judge/finding.js';

/** Changes if a field changes its meaning or is removed. */
const SCHEMA_VERSION = 1;

const WIDTH = 80;
const COLUMNS = ['CHECK', 'RESULT', 'SEEN'] as const;

/** The findings as a table for people, followed by the problems with their remedies. */
export function renderFindings(findings: readonly Finding[]): string {
  const rows = [COLUMNS, ...findings.map(({ check, level, text }) => [check, level, text] as const)];
  const [checkWidth, resultWidth] = [0, 1].map((column) =>
    Math.max(...rows.map((row) => row[column]!.length)),
  ) as [number, number];
  const indent = checkWidth + resultWidth + 4;
  const table = rows.flatMap(([check, result, seen]) =>
    wrapped(seen, WIDTH - indent).map((line, at) =>
      at === 0
        ? `${check.padEnd(checkWidth)}  ${result.padEnd(resultWidth)}  ${line}`
        : `${' '.repeat(indent)}${line}`,
    ),
  );
  return [...table, '', `${worstOf(findings)}: ${counts(findings)}`, ...remedies(findings)].join('\n');
}

/** One line for each remedy, failures first; findings with the same code share one. */
function remedies(findings: readonly Finding[]): string[] {
  const wrong = (level: Level): Finding[] => findings.filter((finding) => finding.level === level);
  const toTell = new Map<string, Finding>();
  for (const finding of [...wrong('failure'), ...wrong('warning')]) {
    const key = `${finding.code} ${finding.remedy}`;
    if (!toTell.has(key)) toTell.set(key, finding);
  }
  return [...toTell.values()].flatMap(({ level, check, code, remedy }) => [
    `  - ${level}: ${check} (${code})`,
    ...wrapped(remedy ?? '', WIDTH - 4).map((line) => `    ${line}`),
  ]);
}

function counts(findings: readonly Finding[]): string {
  const of = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  return `${plural(of('failure'), 'failure')}, ${plural(of('warning'), 'warning')}, ${of('ok')} ok`;
}

/** Lines of at most this many characters; only a longer word makes a longer line. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** The same for programs. */
export function renderFindingsJson(findings: readonly Finding[]): string {
  return JSON.stringify({ schemaVersion: SCHEMA_VERSION, level: worstOf(findings), findings }, null, 2);
}
