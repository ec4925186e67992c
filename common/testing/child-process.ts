import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';

export interface ChildProcessOptions {
  /** What errors call it. */
  name: string;
  cwd?: string;
  /** That of this process by default. */
  env?: NodeJS.ProcessEnv;
  /** Leads a process group of its own, which does not get Ctrl-C from this process's terminal. */
  detached?: boolean;
  /**
   * Sees every line of stdout, and returns true for the line that says that the process is ready. Without it, the
   * first line does.
   */
  onLine?: (line: string) => boolean;
  /** 20 s by default. */
  readyWithinMs?: number;
  /** What the process did lately, for error messages; the end of its stderr by default. */
  report?: () => string;
}

interface Running {
  child: ChildProcessWithoutNullStreams;
  lines: Interface;
}

const READY_WITHIN_MS = 20_000;
/** Bytes of stderr that are kept for error messages. */
const KEPT_STDERR_CHARS = 20_000;

const children = new Set<ChildProcessWithoutNullStreams>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/**
 * A program in a process of its own, which can be ended and restarted. It is killed when this process exits. Its stdin
 * ends with this process, however that ends.
 */
export class ChildProcess {
  #running: Running | undefined;
  #stderr = '';

  constructor(private readonly options: ChildProcessOptions) {}

  /** Undefined when it is not running. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** The end of what it wrote to stderr, over all starts. */
  get stderr(): string {
    return this.#stderr;
  }

  /**
   * Starts the program and waits until it is ready.
   *
   * @returns the line that said so
   * @throws Error with its report if it ends or is late. A late process is killed
   */
  async start(command: readonly string[]): Promise<string> {
    const { name, onLine = () => true, report = () => this.#stderr } = this.options;
    const { cwd, env, detached, readyWithinMs = READY_WITHIN_MS } = this.options;
    const [program, ...args] = command;
    if (program === undefined) throw new Error(`no command for ${name}`);
    const child = spawn(program, args, { cwd, env, detached, stdio: 'pipe' });
    const running = { child, lines: createInterface(child.stdout) };
    this.#running = running;
    children.add(child);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR_CHARS);
    });
    // Ignores errors of writes to a process that has just died.
    child.stdin.on('error', () => undefined);

    let timer: NodeJS.Timeout | undefined;
    return new Promise<string>((resolve, reject) => {
      const fail = (what: string): void => reject(new Error(`${name} ${what}:\n${report()}`));
      timer = setTimeout(() => fail('was not ready in time'), readyWithinMs);
      child.once('error', reject);
      child.once('close', (code) => {
        children.delete(child);
        if (this.#running === running) this.#running = undefined;
        fail(`ended with ${code} before it was ready`);
      });
      running.lines.on('line', (line) => {
        if (onLine(line)) resolve(line);
      });
    })
      .catch((error: Error) => {
        child.kill('SIGKILL');
        throw error;
      })
      .finally(() => clearTimeout(timer));
  }

  /** The next line of stdout. @throws Error if the process ends before */
  async nextLine(): Promise<string> {
    const { child, lines } = this.#expectRunning();
    const settled = new AbortController();
    const { signal } = settled;
    try {
      const line = once(lines, 'line', { signal }) as Promise<[string]>;
      const ended = once(child, 'close', { signal }).then(() => {
        throw new Error(`${this.options.name} ended:\n${this.#stderr}`);
      });
      return (await Promise.race([line, ended]))[0];
    } finally {
      settled.abort();
    }
  }

  /** Writes a line to its stdin. A process that is not running does not get it. */
  send(line: string): void {
    this.#running?.child.stdin.write(`${line}\n`);
  }

  /** Ends its stdin. */
  endInput(): void {
    this.#running?.child.stdin.end();
  }

  /** Sends a signal without waiting for its effect. */
  signal(signal: NodeJS.Signals): void {
    this.#running?.child.kill(signal);
  }

  /** Ends it with a signal and waits until it is gone. Resolves with its exit code, null without one. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const ended = this.ended();
    this.signal(signal);
    return ended;
  }

  /** Waits until it is gone. Resolves with its exit code; null without one, or if it is not running. */
  async ended(): Promise<number | null> {
    const child = this.#running?.child;
    if (child === undefined) return null;
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }

  #expectRunning(): Running {
    if (this.#running === undefined) throw new Error(`${this.options.name} does not run`);
    return this.#running;
  }
}

/** Whether a process is running. A zombie is not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT' || process.platform !== 'linux';
  }
}
