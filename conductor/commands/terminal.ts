import { createInterface } from 'node:readline/promises';

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
