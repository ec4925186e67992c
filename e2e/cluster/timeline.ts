import type { BatonProcess } from './baton-process.js';

const SHOWN_LINES = 200;

/** What several Batons logged, as one story in order of time: the newest lines, for a failed test. */
export function timeline(batons: readonly BatonProcess[]): string {
  const lines = batons.flatMap((baton) =>
    baton.log.map(({ time, node: _node, pid: _pid, level: _level, part: _part, msg, ...rest }) => ({
      time: String(time),
      text: `${String(time).slice(11)} ${baton.id} ${msg ?? ''} ${JSON.stringify(rest)}`,
    })),
  );
  lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return lines
    .slice(-SHOWN_LINES)
    .map(({ text }) => text)
    .join('\n');
}
