import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import type { ControlInput, ControlName, NodeState } from './control.js';
import { THIS_MACHINE, type Machine } from './machine.js';
import type { ReadyLine } from './main.js';
import type { NodeInput, NodePorts } from './node.js';
import type { BlockRef } from './payload.js';

/** Options of a node in a process of its own. */
export type DevnetProcessOptions = NodeInput & { logLevel?: string };

const READY_WITHIN_MS = 20_000;
const STOPPED_WITHIN_MS = 5_000;
const CONTROL_DEADLINE_MS = 5_000;
/** How much of a child's stderr is kept for error messages. */
const KEPT_LOG_CHARS = 20_000;

const children = new Set<ChildProcessByStdio<Writable, Readable, Readable>>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/**
 * A simulated node in its own process. The child dies with its parent, however that ends. Ports that were 0 at
 * the first start stay what they became, so that a restarted node is found where it was.
 */
export class DevnetProcess {
  #child: ChildProcessByStdio<Writable, Readable, Readable> | undefined;
  #log = '';

  private constructor(
    private options: DevnetProcessOptions,
    private ports: NodePorts,
    private readonly machine: Machine,
  ) {}

  /** Starts a node and waits until it answers. */
  static async start(options: DevnetProcessOptions, machine = THIS_MACHINE): Promise<DevnetProcess> {
    const { elPort = 0, nodePort = 0, p2pPort = 0, controlPort = 0 } = options;
    const node = new DevnetProcess(options, { elPort, nodePort, p2pPort, controlPort }, machine);
    await node.#spawn();
    return node;
  }

  /** JSON-RPC of the execution client. */
  get executionRpc(): string {
    return `http://${this.machine.host}:${this.ports.elPort}`;
  }

  /** JSON-RPC of op-node. */
  get nodeRpc(): string {
    return `http://${this.machine.host}:${this.ports.nodePort}`;
  }

  /** What other nodes name as their peer. */
  get p2pUrl(): string {
    return `http://${this.machine.host}:${this.ports.p2pPort}`;
  }

  get controlUrl(): string {
    return `http://${this.machine.host}:${this.ports.controlPort}`;
  }

  /** Undefined when the process does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The end of what the process wrote to stderr. */
  get log(): string {
    return this.#log;
  }

  /** Ends the process with a signal, and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, 'close');
    child.kill(signal);
    await gone;
  }

  /** Kills the process if it runs, and starts it again on the same ports and data. */
  async restart(changes: Partial<DevnetProcessOptions> = {}): Promise<void> {
    await this.kill();
    this.options = { ...this.options, ...changes };
    await this.#spawn();
  }

  /** Stops the process cleanly; one that does not stop is killed. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const timer = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS);
    await this.kill('SIGTERM');
    clearTimeout(timer);
  }

  /** Switches a fault on or off. */
  async control<N extends ControlName>(name: N, body: ControlInput<N>): Promise<void> {
    await this.#control('POST', `/control/${name}`, body);
  }

  /** Replaces the peers, for good: a restart keeps them. */
  async setPeers(peers: string[]): Promise<void> {
    this.options = { ...this.options, peers };
    await this.control('peers', { peers });
  }

  async state(): Promise<NodeState> {
    return (await this.#control('GET', '/control/state')) as NodeState;
  }

  /** The canonical chain from a number upwards. */
  async blocks(from = 0): Promise<BlockRef[]> {
    return (await this.#control('GET', `/control/blocks?from=${from}`)) as BlockRef[];
  }

  async #control(method: 'GET' | 'POST', url: string, body?: object): Promise<unknown> {
    const response = await request(`${this.controlUrl}${url}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(CONTROL_DEADLINE_MS),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode} ${text}`);
    return JSON.parse(text);
  }

  async #spawn(): Promise<void> {
    const { enter, host } = this.machine;
    const flags = flagsOf({ ...this.options, ...this.ports, host });
    const [program, ...args] = [...enter, process.execPath, ...entryPoint(), ...flags] as [
      string,
      ...string[],
    ];
    const child = spawn(program, args, {
      cwd: repositoryRoot,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    children.add(child);
    child.once('close', () => {
      children.delete(child);
      if (this.#child === child) this.#child = undefined;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-KEPT_LOG_CHARS);
    });
    // Writes of a dying child's parent end in EPIPE; nothing is ever written.
    child.stdin.on('error', () => {});
    const { elPort, nodePort, p2pPort, controlPort } = await this.#ready(child);
    this.ports = { elPort, nodePort, p2pPort, controlPort };
  }

  async #ready(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<ReadyLine> {
    const lines = createInterface(child.stdout);
    const line = new Promise<ReadyLine>((resolve) => {
      lines.once('line', (text: string) => resolve(JSON.parse(text) as ReadyLine));
    });
    const timeout = new AbortController();
    try {
      return await Promise.race([
        line,
        once(child, 'close').then(() => this.#fail('ended before it was ready')),
        sleep(READY_WITHIN_MS, undefined, { signal: timeout.signal }).then(() =>
          this.#fail('was not ready in time'),
        ),
      ]);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      timeout.abort();
    }
  }

  #fail(what: string): never {
    throw new Error(`devnet node ${this.options.name} ${what}: ${this.#log}`);
  }
}

/** Each of jest's workers picks from a range of its own: a port that one has picked is not bound at once. */
const PORTS_PER_WORKER = 4_000;
const WORKERS_MAX = 4;
const workerIndex = (Number(process.env['JEST_WORKER_ID'] ?? 1) - 1) % WORKERS_MAX;

/** Ports that were free a moment ago, outside the range from which the system takes ports for clients. */
export async function pickPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 15_000 + Math.floor((workerIndex + Math.random()) * PORTS_PER_WORKER);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}

const repositoryRoot = findRoot(path.dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  return existsSync(path.join(folder, 'package.json')) ? folder : findRoot(path.dirname(folder));
}

/** Compiled JavaScript when there is any, as in production; the sources otherwise. */
function entryPoint(): string[] {
  const compiled = path.join(repositoryRoot, 'e2e/dist/e2e/devnet/main.js');
  if (existsSync(compiled)) return [compiled];
  return ['--import', 'tsx', path.join(repositoryRoot, 'e2e/devnet/main.ts')];
}

function flagsOf(options: DevnetProcessOptions): string[] {
  const flags = Object.entries(options).flatMap(([key, value]) => {
    const name = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return [name, String(value)];
  });
  return [...flags, '--exit-with-stdin'];
}
