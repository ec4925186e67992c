import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ChildProcess } from '../../common/testing/child-process.js';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { JsonRpcClient } from '../../rpc/clients/json-rpc-client.js';
import { THIS_MACHINE, type Machine } from '../devnet/machine.js';

export interface BatonOptions {
  id: string;
  storageDir: string;
  rpcPort: number;
  consensusPort: number;
  /** Of op-node and the execution client; without them it is a witness. */
  nodeRpc?: string;
  executionRpc?: string;
  /** Further flags, with their values. */
  flags?: readonly string[];
  /** Options of node, as in NODE_OPTIONS. */
  nodeOptions?: string;
  /** Where it runs; here by default. */
  machine?: Machine;
  /** Shown with each call. */
  token?: string;
  /** In PEM: its RPC port speaks TLS, with a certificate of this authority for `localhost`. */
  rpcAuthority?: string;
}

/** Health checks for nodes whose blocks come every second or faster. */
export const HEALTH_FLAGS = [
  ...['--healthcheck.interval', '1', '--healthcheck.unsafe-interval', '5'],
  ...['--healthcheck.min-peer-count', '1'],
];

export type LogLine = Record<string, unknown> & { msg?: string };

const KEPT_LINES = 5000;
const CALL_DEADLINE_MS = 5_000;

/** One Baton in its own process, as an operator would run it. It dies with its parent. */
export class BatonProcess {
  readonly log: LogLine[] = [];
  private readonly child: ChildProcess;
  private readonly client: JsonRpcClient;

  constructor(readonly options: BatonOptions) {
    this.child = new ChildProcess({
      name: `baton ${options.id}`,
      cwd: repositoryRoot,
      env: {
        ...process.env,
        NODE_OPTIONS: [process.env['NODE_OPTIONS'], options.nodeOptions].filter(Boolean).join(' '),
      },
      onLine: (text) => this.noteLine(text),
      report: () => this.tail(),
    });
    const url = options.token === undefined ? this.rpcUrl : this.rpcUrlWith(options.token);
    const { rpcAuthority } = options;
    this.client = new JsonRpcClient({
      url,
      timeoutMs: CALL_DEADLINE_MS,
      ...(rpcAuthority !== undefined && { tls: { ca: Buffer.from(rpcAuthority) } }),
    });
  }

  get id(): string {
    return this.options.id;
  }

  private get machine(): Machine {
    return this.options.machine ?? THIS_MACHINE;
  }

  get rpcUrl(): string {
    const { rpcPort, rpcAuthority } = this.options;
    return rpcAuthority === undefined
      ? `http://${this.machine.host}:${rpcPort}`
      : `https://localhost:${rpcPort}`;
  }

  /** With a token as its password, as operators' tools take it. */
  rpcUrlWith(token: string): string {
    return this.rpcUrl.replace('://', `://test:${token}@`);
  }

  get consensusAddress(): string {
    return `${this.machine.host}:${this.options.consensusPort}`;
  }

  /** Undefined when the process does not run. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Starts the process and waits until it serves. */
  async start(): Promise<void> {
    const { id, storageDir, rpcPort, consensusPort, nodeRpc, executionRpc, flags = [] } = this.options;
    const { enter, host } = this.machine;
    await this.child.start([
      ...enter,
      ...batonCommand(),
      'run',
      ...['--raft.server.id', id, '--raft.storage.dir', storageDir],
      ...['--consensus.addr', host, '--consensus.port', String(consensusPort)],
      ...['--rpc.addr', host, '--rpc.port', String(rpcPort)],
      ...(nodeRpc === undefined || executionRpc === undefined
        ? ['--witness']
        : ['--node.rpc', nodeRpc, '--execution.rpc', executionRpc, ...HEALTH_FLAGS]),
      ...flags,
    ]);
  }

  /** Ends the process with a signal and waits until it is gone. Resolves with its exit code, null without one. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    return this.child.kill(signal);
  }

  /** Sends a signal without waiting for anything. */
  signal(signal: NodeJS.Signals): void {
    this.child.signal(signal);
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
    return [...this.log.slice(-lines).map((line) => JSON.stringify(line)), this.child.stderr].join('\n');
  }

  /** @returns whether it says that the process serves */
  private noteLine(text: string): boolean {
    const line = parseLine(text);
    this.log.push(line);
    if (this.log.length > KEPT_LINES) this.log.splice(0, KEPT_LINES / 2);
    return line.msg === 'started';
  }
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { msg: text };
  }
}

/** The compiled program, which brings its environment and node's flags along, or the sources when nothing was compiled yet. */
export function batonCommand(): [string, ...string[]] {
  const compiled = path.join(repositoryRoot, 'dist/conductor/main.js');
  return existsSync(compiled)
    ? [compiled]
    : [process.execPath, '--import', 'tsx', path.join(repositoryRoot, 'conductor/main.ts')];
}
