import { createInterface } from 'node:readline/promises';
import type { Screen } from './command.js';

interface Streams {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/** Asks the person at the terminal. Only y or yes is a yes; Ctrl-C and the end of the input are a no. */
export async function askOnTerminal(
  question: string,
  signal: AbortSignal,
  { input, output }: Streams = { input: process.stdin, output: process.stderr },
): Promise<boolean> {
  const terminal = createInterface({ input, output });
  const end = new AbortController();
  terminal.once('SIGINT', () => end.abort());
  terminal.once('close', () => end.abort());
  try {
    const answer = await terminal.question(question, { signal: AbortSignal.any([signal, end.signal]) });
    return /^\s*y(es)?\s*$/i.test(answer);
  } catch (error) {
    if (!end.signal.aborted && !signal.aborted) throw error;
    return false;
  } finally {
    terminal.close();
  }
}

/** Whether there is a person to ask. */
export const hasTerminal = (): boolean => process.stdin.isTTY && process.stderr.isTTY;

/** For a terminal that does not report its width. */
const USUAL_COLUMNS = 80;

const CLEAR_BELOW = '\u001b[0J';
const CLEAR_LINE = '\u001b[0K';
const HOME = '\u001b[H';

type Output = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'hasColors' | 'write'>;

/** The terminal that results go to, if any. Its own rules decide about colours (NO_COLOR, TERM). */
export function screenOf(output: Output = process.stdout): Screen | undefined {
  if (!output.isTTY) return undefined;
  return {
    columns: () => output.columns || USUAL_COLUMNS,
    color: output.hasColors(),
    // Line by line over the old content: a screen that is cleared first flickers.
    redraw: (text) =>
      void output.write(`${HOME}${text.replaceAll('\n', `${CLEAR_LINE}\n`)}${CLEAR_LINE}\n${CLEAR_BELOW}`),
  };
}
