import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Message } from '../../../core/messages.js';
import { expectCommitted, fileNameOf, orphansIn } from '../../../testing/committed-text.js';
import { describeEvent, type TraceEvent } from '../../simulator/describe-event.js';

const FOLDER = fileURLToPath(new URL('../../transcripts/', import.meta.url));

/** A longer story is told without its middle. */
const LINES_MAX = 160;
const LINES_AT_BEGINNING = 60;

/** Files of the existing scenarios. */
const expected = new Set<string>();

/** Registers the transcript of a scenario. @returns the name of its file */
export function transcriptOf(bug: number, title: string): string {
  const file = `${String(bug).padStart(3, '0')}-${fileNameOf(title)}`;
  if (expected.has(file)) throw new Error(`two scenarios are called "${title}"`);
  expected.add(file);
  return file;
}

/** Compares a story to the committed one (transcripts/README.md). */
export const expectTold = (file: string, story: readonly TraceEvent[]): void =>
  expectCommitted(path.join(FOLDER, file), `${shortened(tell(story)).join('\n')}\n`);

/** Transcripts whose scenario is gone. */
export const orphans = (): string[] => orphansIn(FOLDER, expected);

/** What happened, without the routine. */
const tell = (story: readonly TraceEvent[]): string[] =>
  story.filter((event) => !isQuiet(event)).flatMap((event) => describeEvent(event, 'story'));

/** A step without outputs, or only with heartbeats and their answers. */
function isQuiet({ input, outputs }: TraceEvent): boolean {
  if (!input) return false;
  const mayBeQuiet =
    ['tick', 'stored', 'applied', 'requestFailed'].includes(input.type) ||
    (input.type === 'message' && isHeartbeat(input.message));
  return mayBeQuiet && outputs.every((output) => output.type === 'send' && isHeartbeat(output.message));
}

const isHeartbeat = ({ type }: Message): boolean => type === 'heartbeat' || type === 'heartbeatResponse';

function shortened(lines: readonly string[]): readonly string[] {
  const leftOut = lines.length - LINES_MAX;
  if (leftOut <= 0) return lines;
  return [
    ...lines.slice(0, LINES_AT_BEGINNING),
    `          … ${leftOut} lines are left out`,
    ...lines.slice(LINES_AT_BEGINNING + leftOut),
  ];
}
