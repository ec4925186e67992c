import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { WaitingIsUseless } from '../cluster/wait-for.js';

/** A program ended that should be running. */
class ProgramDied extends WaitingIsUseless {
  constructor(name: string, how: string, logTail: string) {
    super(`${name} ended by itself (${how}); its last words:\n${logTail}`);
    this.name = 'ProgramDied';
  }
}

interface Running {
  child: ChildProcess;
  ended: Promise<void>;
  /** Set before we signal it, so that its end is expected. */
  mayEnd: boolean;
}

/**
 * The child processes of one network. Each leads a process group of its own, so that killing it also
 * kills what it started, and appends its output to `<logFolder>/<name>.log`.
 */
export class Programs {
  private readonly started = new Map<string, Running>();

  constructor(private readonly logFolder: string) {}

  start(name: string, command: readonly string[]): void {
    if (this.isRunning(name)) throw new Error(`${name} is running already`);
    const [file, ...args] = command;
    if (file === undefined) throw new Error(`no command for ${name}`);
    const log = openSync(this.logFile(name), 'a');
    const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    this.started.set(name, { child, ended, mayEnd: false });
  }

  isRunning(name: string): boolean {
    const program = this.started.get(name);
    return program !== undefined && !hasEnded(program.child);
  }

  /** Signals the program's group and returns when the program has ended. Throws when it does not end in time. */
  async end(name: string, signal: 'SIGKILL' | 'SIGTERM', deadlineMs = 30_000): Promise<string> {
    const program = this.started.get(name);
    if (program === undefined) throw new Error(`${name} was never started`);
    program.mayEnd = true;
    signalGroup(program.child, signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${name} still runs ${deadlineMs / 1000} s after ${signal}`)),
        deadlineMs,
      );
    });
    try {
      await Promise.race([program.ended, late]);
    } finally {
      clearTimeout(timer);
    }
    return howItEnded(program.child);
  }

  /** Freezes the program's group, like a hung host: connections stay open, but nothing answers. */
  freeze(name: string): void {
    this.signal(name, 'SIGSTOP');
  }

  /** Resumes a frozen program. */
  thaw(name: string): void {
    this.signal(name, 'SIGCONT');
  }

  /** Process id of a program that runs. */
  pid(name: string): number {
    return this.running(name).pid as number;
  }

  private signal(name: string, signal: NodeJS.Signals): void {
    signalGroup(this.running(name), signal);
  }

  private running(name: string): ChildProcess {
    const program = this.started.get(name);
    if (program === undefined || hasEnded(program.child)) throw new Error(`${name} does not run`);
    return program.child;
  }

  /** Throws {@link ProgramDied} when a program has ended without being told to. */
  assertAlive(): void {
    for (const [name, { child, mayEnd }] of this.started) {
      if (!mayEnd && hasEnded(child)) throw new ProgramDied(name, howItEnded(child), this.logTail(name));
    }
  }

  /** Kills every group at once; synchronous, so that it can run while this process exits. */
  killAll(): void {
    for (const program of this.started.values()) {
      program.mayEnd = true;
      signalGroup(program.child, 'SIGKILL');
    }
  }

  /** Resolves when all programs have ended. */
  async allEnded(): Promise<void> {
    await Promise.all([...this.started.values()].map(({ ended }) => ended));
  }

  names(): string[] {
    return [...this.started.keys()];
  }

  /** Everything that the program has written, in all its runs. */
  log(name: string): string {
    return readFileSync(this.logFile(name), 'utf8');
  }

  logTail(name: string, lines = 12): string {
    return this.log(name).trimEnd().split('\n').slice(-lines).join('\n');
  }

  private logFile(name: string): string {
    return path.join(this.logFolder, `${name}.log`);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function howItEnded(child: ChildProcess): string {
  if (child.pid === undefined) return `${child.spawnfile} cannot be started`;
  return child.signalCode ?? `exit code ${child.exitCode}`;
}

/** Signals a child that leads its own process group, and everything in that group. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the whole group is already gone.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
