import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { JsonRpcClient } from '../../rpc/clients/json-rpc-client.js';
import { z } from 'zod';
import { THIS_MACHINE, type Machine } from '../devnet/machine.js';

export interface BatonOptions {
  id: string;
  storageDir: string;
  rpcPort: number;
  consensusPort: number;
  nodeRpc: string;
  executionRpc: string;
  /** Further flags, with their values. */
  flags?: readonly string[];
  /** Options of node, as in NODE_OPTIONS. */
  nodeOptions?: string;
  /** Where it runs; here by default. */
  machine?: Machine;
}

export type LogLine = Record<string, unknown> & { msg?: string };

const READY_WITHIN_MS = 20_000;
const KEPT_LINES = 5000;
const CALL_DEADLINE_MS = 5_000;

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** One Baton in its own process, as an operator would run it. It dies with its parent. */
export class BatonProcess {
  private child: ChildProcess | undefined;
  private stderr = '';
  readonly log: LogLine[] = [];
  private readonly client: JsonRpcClient;

  constructor(readonly options: BatonOptions) {
    this.client = new JsonRpcClient({ url: this.rpcUrl, timeoutMs: CALL_DEADLINE_MS });
  }

  get id(): string {
    return this.options.id;
  }

  private get machine(): Machine {
    return this.options.machine ?? THIS_MACHINE;
  }

  get rpcUrl(): string {
    return `http://${this.machine.host}:${this.options.rpcPort}`;
  }

  get consensusAddress(): string {
    return `${this.machine.host}:${this.options.consensusPort}`;
  }

  /** Undefined when the process does not run. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts the process and waits until it serves. */
  async start(): Promise<void> {
    const { id, storageDir, rpcPort, consensusPort, nodeRpc, executionRpc, flags = [] } = this.options;
    const nodeOptions = [process.env['NODE_OPTIONS'], this.options.nodeOptions].filter(Boolean).join(' ');
    const { enter, host } = this.machine;
    const [program, ...first] = [...enter, ...batonCommand()] as [string, ...string[]];
    const child = spawn(
      program,
      [
        ...first,
        'run',
        ...['--raft.server.id', id, '--raft.storage.dir', storageDir],
        ...['--consensus.addr', host, '--consensus.port', String(consensusPort)],
        ...['--rpc.addr', host, '--rpc.port', String(rpcPort)],
        ...['--node.rpc', nodeRpc, '--execution.rpc', executionRpc],
        ...[
          '--healthcheck.interval',
          '1',
          '--healthcheck.unsafe-interval',
          '5',
          '--healthcheck.min-peer-count',
          '1',
        ],
        ...flags,
      ],
      {
        cwd: repositoryRoot,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: nodeOptions },
      },
    );
    this.child = child;
    children.add(child);
    child.once('close', () => {
      children.delete(child);
      if (this.child === child) this.child = undefined;
    });
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (this.stderr = (this.stderr + text).slice(-20_000)));
    await this.ready(child);
  }

  /** Ends the process with a signal and waits until it is gone. Resolves with its exit code, null without one. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.child;
    if (!child) return null;
    const gone = once(child, 'close') as Promise<[number | null]>;
    child.kill(signal);
    return (await gone)[0];
  }

  /** Sends a signal without waiting for anything. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Stops the process and releases the client. */
  async dispose(): Promise<void> {
    await this.kill();
    await this.client.close();
  }

  /** One call of a `conductor_*` method; rejects with a ClientError. */
  async call<T>(method: string, params: unknown[] = []): Promise<T> {
    return (await this.client.call({ method, params, result: z.unknown() })) as T;
  }

  /** The newest log lines, for error messages. */
  tail(lines = 20): string {
    return [...this.log.slice(-lines).map((line) => JSON.stringify(line)), this.stderr].join('\n');
  }

  private async ready(child: ChildProcess): Promise<void> {
    const failed = (what: string): Error => new Error(`baton ${this.id} ${what}:\n${this.tail()}`);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(failed('was not ready in time')), READY_WITHIN_MS);
      child.once('close', (code) => {
        clearTimeout(timer);
        reject(failed(`ended with ${code} before it was ready`));
      });
      createInterface(child.stdout as NodeJS.ReadableStream).on('line', (text) => {
        const line = parseLine(text);
        this.log.push(line);
        if (this.log.length > KEPT_LINES) this.log.splice(0, KEPT_LINES / 2);
        if (line.msg !== 'started') return;
        clearTimeout(timer);
        resolve();
      });
    }).catch((error: Error) => {
      child.kill('SIGKILL');
      throw error;
    });
  }
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { msg: text };
  }
}

const repositoryRoot = findRoot(path.dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  return existsSync(path.join(from, 'package.json')) ? from : findRoot(path.dirname(from));
}

/** The compiled program, which brings its environment and node's flags along, or the sources when nothing was compiled yet. */
export function batonCommand(): [string, ...string[]] {
  const compiled = path.join(repositoryRoot, 'dist/conductor/main.js');
  return existsSync(compiled)
    ? [compiled]
    : [process.execPath, '--import', 'tsx', path.join(repositoryRoot, 'conductor/main.ts')];
}
