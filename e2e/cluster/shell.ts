import { randomUUID } from 'node:crypto';
import { ChildProcess } from '../../common/testing/child-process.js';

const ENDS_WITHIN_MS = 60_000;

/** Output of a command, and how it ended. */
export interface ShellAnswer {
  code: number;
  /** Both of its outputs. */
  output: string;
}

/** A bash in which commands are run one after the other: variables and functions stay. It dies with its parent. */
export class Shell {
  private readonly child: ChildProcess;
  private readonly mark = `end-of-command-${randomUUID()}`;
  private lines: string[] = [];
  private ended: ((code: number) => void) | undefined;

  /** @param env the whole environment of its commands */
  constructor(
    private readonly name: string,
    env: Record<string, string>,
  ) {
    this.child = new ChildProcess({ name: `shell of ${name}`, env, onLine: (line) => this.noteLine(line) });
  }

  async start(): Promise<void> {
    await this.child.start([
      'bash',
      '--noprofile',
      '--norc',
      '-c',
      'echo ready; exec bash --noprofile --norc',
    ]);
  }

  /** @throws Error when it does not end in time; then the shell is unusable */
  async run(command: string): Promise<ShellAnswer> {
    this.lines = [];
    const code = await new Promise<number>((resolve, reject) => {
      const late = (): void =>
        reject(new Error(`${this.name}: does not end: ${command}\n${this.lines.join('\n')}`));
      const timer = setTimeout(late, ENDS_WITHIN_MS);
      this.ended = (ended) => {
        clearTimeout(timer);
        resolve(ended);
      };
      // The mark is on a line of its own even after output that does not end one.
      this.child.send(`{ ${command}\n} </dev/null 2>&1; printf '\\n%s %d\\n' '${this.mark}' $?`);
    });
    return { code, output: this.lines.join('\n').trim() };
  }

  async stop(): Promise<void> {
    await this.child.kill();
  }

  /** @returns whether the shell is ready: its first line says so */
  private noteLine(line: string): boolean {
    const [mark, code] = line.split(' ');
    if (mark === this.mark) this.ended?.(Number(code));
    else this.lines.push(line);
    return true;
  }
}
