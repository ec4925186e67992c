import type { BatonProcess, LogLine } from './baton-process.js';

const SHOWN_LINES = 200;
const LAST_LINES = 3;

/** Logs of several Batons in one order of time: the newest lines, for a failed test. */
export function timeline(batons: readonly BatonProcess[]): string {
  const lines = batons.flatMap((baton) =>
    baton.log.map((line) => ({ time: String(line['time']), text: textOf(baton, line) })),
  );
  lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return lines
    .slice(-SHOWN_LINES)
    .map(({ text }) => text)
    .join('\n');
}

/** The last line of each Baton, which shows its state. */
export function lastWords(batons: readonly BatonProcess[]): string {
  const ofEach = batons.map((baton) => {
    const lines = baton.log.slice(-LAST_LINES).map((line) => textOf(baton, line));
    return [...lines, `${baton.id} ${baton.pid === undefined ? 'does not run' : 'runs'}`].join('\n');
  });
  return ofEach.join('\n');
}

function textOf(
  { id }: BatonProcess,
  { time, node: _node, pid: _pid, level: _level, part: _part, msg, ...rest }: LogLine,
): string {
  return `${String(time).slice(11)} ${id} ${msg ?? ''} ${JSON.stringify(rest)}`;
}
