import { isAsExpected, type DocumentedCommand } from './document-steps.js';
import type { ShellAnswer } from './shell.js';
import { waitFor, WaitingIsUseless } from './wait-for.js';

interface Shells {
  shell(host: string | null): Promise<{ run(command: string): Promise<ShellAnswer> }>;
}

/** An operator looks again until a cluster has settled. */
const LOOKS_AGAIN = /^baton status\b/;
const SETTLED_WITHIN_MS = 30_000;

/**
 * Carries out a command of a document, on the machine of its prompt.
 *
 * A `baton status` is repeated until its output matches the document: its exit code is its verdict, and may be any.
 * Every other command must succeed, with that output, at once.
 */
export async function carryOut(
  shells: Shells,
  { host, command, expected, line }: DocumentedCommand,
): Promise<void> {
  const shell = await shells.shell(host);
  const repeats = LOOKS_AGAIN.test(command);
  await waitFor(
    `line ${line} to work`,
    async () => {
      const { code, output } = await shell.run(command);
      if ((repeats || code === 0) && isAsExpected(output, expected)) return true;
      const failure = `${host ?? ''}$ ${command}\nends with ${code}:\n${output}`;
      throw repeats ? new Error(failure) : new WaitingIsUseless(failure);
    },
    SETTLED_WITHIN_MS,
  );
}
