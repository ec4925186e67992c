import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DirectoryAnswers, DirectoryFacts } from '../facts.js';

interface Options {
  signal: AbortSignal;
  /** For all answers of the disk together. */
  timeoutMs?: number;
  /** Options of node for the process that asks the disk. */
  execArgv?: readonly string[];
  /** The program of that process. */
  script?: string;
}

const TIMEOUT_MS = 5000;
/** A busy machine is slow to start a process. */
const START_MS = 30_000;
/** Time between the request to end and abandoning it. */
const END_MS = 500;

const own = fileURLToPath(import.meta.url);
const SCRIPT = path.join(path.dirname(own), `directory-process${path.extname(own)}`);

/** Asks the disk of a directory, in a process that can be abandoned if the disk hangs. Never rejects. */
export async function gatherDirectory(directory: string, options: Options): Promise<DirectoryFacts> {
  const { signal, timeoutMs = TIMEOUT_MS, execArgv = process.execArgv, script = SCRIPT } = options;
  const facts: DirectoryFacts = { directory, answers: {}, trouble: null };
  const child = fork(script, [directory], {
    execArgv: [...execArgv],
    // This process passes Ctrl-C on, and waits for the file to be removed.
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = endOf(child);
  const deadline = new Deadline(START_MS, 'the process that asks the disk did not start');
  child.on('message', (part: DirectoryAnswers & { trouble?: string }) => {
    deadline.renew(timeoutMs, `the disk has not answered for ${timeoutMs} ms`);
    const { trouble, ...answers } = part;
    Object.assign(facts.answers, answers);
    if (trouble !== undefined) facts.trouble = trouble;
  });
  const onAbort = (): void => deadline.expire('interrupted');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const late = await Promise.race([ended, deadline.over]);
    facts.trouble ??= late ?? null;
    if (late !== undefined) await end(child, ended);
  } finally {
    deadline.clear();
    signal.removeEventListener('abort', onAbort);
  }
  return facts;
}

/** Resolves when it has ended: with the reason, if it ended too early. */
function endOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`the process that asks the disk did not start: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(code === 0 ? undefined : `the process that asks the disk ended with ${signal ?? code}`),
    );
  });
}

/** A process that waits for a hung disk cannot be ended: it ends when the disk comes back. */
async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const wait = new Deadline(END_MS, 'late');
  await Promise.race([ended, wait.over]);
  wait.clear();
  if (child.connected) child.disconnect();
  child.unref();
}

/** A time-out that can be extended; `over` resolves with the reason. */
class Deadline {
  readonly over: Promise<string>;
  private expired!: (why: string) => void;
  private timer: NodeJS.Timeout | undefined;

  constructor(ms: number, why: string) {
    this.over = new Promise((resolve) => (this.expired = resolve));
    this.renew(ms, why);
  }

  renew(ms: number, why: string): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.expired(why), ms);
  }

  expire(why: string): void {
    this.expired(why);
  }

  clear(): void {
    clearTimeout(this.timer);
  }
}
