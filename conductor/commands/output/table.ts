import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Text, and its style if there are colours. */
export interface Cell {
  text: string;
  style?: Style | undefined;
}

export interface Column {
  title: string;
  /** If the columns do not fit, those with the greatest number are left out first; undefined ones stay. */
  leftOut?: number;
}

export interface Look {
  /** Width of the terminal; undefined if lines may be of any length. */
  columns?: number | undefined;
  color?: boolean | undefined;
}

/** The last column is cut rather than left out if at least this much of it is visible. */
const CUT_MIN = 12;
const GAP = 2;

export function paint({ text, style }: Cell, { color }: Look): string {
  return color && style !== undefined ? styleText(style, text, { validateStream: false }) : text;
}

/** Lines of a table that fits the terminal, if enough columns can be left out or, for the last one, cut. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  look: Look,
): string[] {
  const all = [columns.map(({ title }): Cell => ({ text: title, style: 'bold' })), ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => row[at]!.text.length)));
  const shown = fitting(columns, widths, look.columns ?? Infinity);
  return all.map((row) => {
    const cells = shown.map(({ at, width }, place) => {
      const cell = { ...row[at]!, text: cut(row[at]!.text, width) };
      const isLast = place === shown.length - 1;
      return paint(cell, look) + (isLast ? '' : ' '.repeat(width - cell.text.length + GAP));
    });
    return cells.join('').trimEnd();
  });
}

/** Which columns are shown, and how wide. */
function fitting(
  columns: readonly Column[],
  widths: readonly number[],
  room: number,
): { at: number; width: number }[] {
  const shown = columns.map((column, at) => ({ ...column, at, width: widths[at]! }));
  for (;;) {
    const total = shown.reduce((sum, { width }) => sum + width + GAP, -GAP);
    if (total <= room) return shown;
    const last = shown.at(-1)!;
    const left = room - (total - last.width);
    if (last.at === columns.length - 1 && left >= CUT_MIN) {
      last.width = left;
      return shown;
    }
    const next = shown.reduce((a, b) => ((b.leftOut ?? -1) > (a.leftOut ?? -1) ? b : a));
    if (next.leftOut === undefined) return shown;
    shown.splice(shown.indexOf(next), 1);
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Breaks a line between words, so that later lines start below its text. */
export function wrap(line: string, indent: number, { columns = Infinity }: Look): string[] {
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  let current = '';
  for (const word of line.slice(indent).split(' ')) {
    if (current !== '' && indent + current.length + 1 + word.length > columns) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current].map((text, at) => (at === 0 ? line.slice(0, indent) : margin) + text);
}
