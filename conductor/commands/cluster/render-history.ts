import type { History } from '../../../rpc/server/history.js';
import { describeEntry } from '../../history/describe-entry.js';

const COLUMNS = 80;
const TIME_COLUMNS = '2026-12-01T17:20:03Z'.length;
const INDENT = ' '.repeat(TIME_COLUMNS + 2);

/** The history as a table for people: when, what and why; below it, who asked for it and the result. */
export function renderHistory({ entries, answeredBy }: History): string {
  if (entries.length === 0) return `${answeredBy} knows of nothing that happened in this time`;
  return entries
    .map((entry) => {
      const { who, what, result } = describeEntry(entry);
      const time = new Date(entry.atMs).toISOString().replace(/\.\d+/, '');
      const [first = '', ...rest] = [...wrapped(what), ...wrapped(who === '' ? result : `${who}: ${result}`)];
      return [`${time}  ${first}`, ...rest.map((line) => INDENT + line)].join('\n');
    })
    .join('\n');
}

/** Lines that fit beside the time. A longer word is cut into pieces. */
function wrapped(text: string): string[] {
  const width = COLUMNS - INDENT.length;
  const pieces = text.split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? []);
  const lines: string[] = [];
  for (const piece of pieces) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + piece.length > width) lines.push(piece);
    else lines[lines.length - 1] = `${last} ${piece}`;
  }
  return lines;
}
