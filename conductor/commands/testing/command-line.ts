import type { CommandIo } from '../command.js';
import { runCommand } from '../index.js';
import { FakeCluster } from './fake-cluster.js';

/** Consensus address of a member of the fake cluster. */
export const addr = (id: string): string => `127.0.0.1:${50_000 + id.charCodeAt(0)}`;

/** Commands against a fake cluster of a, b and c, with what they print. */
export class CommandLine {
  readonly printed: string[] = [];
  readonly noted: string[] = [];
  /** Questions asked on the terminal. */
  readonly asked: string[] = [];
  /** The answer of the person there; null: there is no terminal. */
  answer: boolean | null = true;

  private constructor(readonly cluster: FakeCluster) {}

  static async start(): Promise<CommandLine> {
    return new CommandLine(await FakeCluster.start(['a', 'b', 'c']));
  }

  stop(): Promise<void> {
    return this.cluster.stop();
  }

  io(env: Record<string, string> = {}, signal = new AbortController().signal): CommandIo {
    return {
      print: (line) => void this.printed.push(line),
      note: (line) => void this.noted.push(line),
      ...(this.answer !== null && { confirm: (question: string) => this.confirm(question) }),
      env,
      signal,
    };
  }

  private async confirm(question: string): Promise<boolean> {
    this.asked.push(question);
    return this.answer === true;
  }

  /** Runs a command that asks the conductor `a`. */
  baton(...argv: string[]): Promise<number> {
    return runCommand([...argv, '--rpc', this.cluster.url('a')], this.io());
  }

  /** The error line and the code of its remedy. */
  failure(): string[] {
    return [this.noted.at(-2) ?? '', /\(([a-z-]+)\)$/.exec(this.noted.at(-1) ?? '')?.[1] ?? ''];
  }
}
