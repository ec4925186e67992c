import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import type { Message } from '../../../core/messages.js';
import { describeEvent, type TraceEvent } from '../../simulator/describe-event.js';

const FOLDER = fileURLToPath(new URL('../../transcripts/', import.meta.url));
const README = 'README.md';

/** A longer story is told without its middle. */
const LINES_MAX = 160;
const LINES_AT_BEGINNING = 60;

const rewrites = (): boolean => process.env['BATON_REWRITE'] === '1';

/** Files of the scenarios that there are. */
const expected = new Set<string>();

/** Announces the transcript of a scenario. @returns the name of its file */
export function transcriptOf(bug: number, title: string): string {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const file = `${String(bug).padStart(3, '0')}-${words.join('-')}.txt`;
  if (expected.has(file)) throw new Error(`two scenarios are called "${title}"`);
  expected.add(file);
  return file;
}

/** Holds a story against the committed one; with BATON_REWRITE=1 it takes the place of that. */
export function expectTold(file: string, story: readonly TraceEvent[]): void {
  const told = `${shortened(tell(story)).join('\n')}\n`;
  const place = path.join(FOLDER, file);
  if (rewrites()) writeFileSync(place, told);
  // BATON_REWRITE=1 writes it anew: read the difference before you commit it (transcripts/README.md).
  expect({ file, told }).toEqual({ file, told: existsSync(place) ? readFileSync(place, 'utf8') : 'nothing' });
}

/** Transcripts whose scenario is gone; with BATON_REWRITE=1 they go as well. */
export function orphans(): string[] {
  const found = readdirSync(FOLDER).filter((file) => file !== README && !expected.has(file));
  if (!rewrites()) return found;
  for (const file of found) rmSync(path.join(FOLDER, file));
  return [];
}

/** What happened, without what always happens. */
const tell = (story: readonly TraceEvent[]): string[] =>
  story.filter((event) => !isQuiet(event)).flatMap((event) => describeEvent(event, 'story'));

/** A step of which nothing came, or no more than heartbeats and their answers. */
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
