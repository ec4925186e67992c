import { createInterface } from 'node:readline/promises';
import type { Screen } from './command.js';

interface Streams {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/** Asks whoever sits at the terminal. Anything but y or yes is a no, and so are Ctrl-C and the end of the input. */
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

/** Whether somebody sits there who can be asked. */
export const hasTerminal = (): boolean => process.stdin.isTTY && process.stderr.isTTY;

/** Of a terminal that does not say. */
const USUAL_COLUMNS = 80;

const CLEAR_BELOW = '\u001b[0J';
const CLEAR_LINE = '\u001b[0K';
const HOME = '\u001b[H';

type Output = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'hasColors' | 'write'>;

/** The terminal that results go to, if they go to one. Its own rules say whether it has colours (NO_COLOR, TERM). */
export function screenOf(output: Output = process.stdout): Screen | undefined {
  if (!output.isTTY) return undefined;
  return {
    columns: () => output.columns || USUAL_COLUMNS,
    color: output.hasColors(),
    // Line by line over what is there: a screen that is cleared first flickers.
    redraw: (text) =>
      void output.write(`${HOME}${text.replaceAll('\n', `${CLEAR_LINE}\n`)}${CLEAR_LINE}\n${CLEAR_BELOW}`),
  };
}
