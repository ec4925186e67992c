import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { request } from 'undici';
import { ChildProcess } from '../../common/testing/child-process.js';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import type { ControlInput, ControlName, NodeState } from './control.js';
import { THIS_MACHINE, type Machine } from './machine.js';
import type { NodeInput, NodePorts } from './node.js';
import type { BlockRef } from './payload.js';

/** Options of a node in a process of its own. */
export type DevnetProcessOptions = NodeInput & { logLevel?: string };

const STOPPED_WITHIN_MS = 5_000;
const CONTROL_DEADLINE_MS = 5_000;

/**
 * A simulated node in its own process. The child dies with its parent, however that ends. It keeps its ports, so that
 * a restarted node is found where it was. None is in the range of client ports: a caller of a dead node
 * could be given that same port, and the node could not take it back.
 */
export class DevnetProcess {
  readonly #child: ChildProcess;

  private constructor(
    private options: DevnetProcessOptions,
    private readonly ports: NodePorts,
    private readonly machine: Machine,
  ) {
    this.#child = new ChildProcess({ name: `devnet node ${options.name}`, cwd: repositoryRoot });
  }

  /** Starts a node and waits until it answers. */
  static async start(options: DevnetProcessOptions, machine = THIS_MACHINE): Promise<DevnetProcess> {
    const free = (await pickPorts(4)) as [number, number, number, number];
    const { elPort = free[0], nodePort = free[1], p2pPort = free[2], controlPort = free[3] } = options;
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
    return this.#child.pid;
  }

  /** The end of what the process wrote to stderr. */
  get log(): string {
    return this.#child.stderr;
  }

  /** Ends the process with a signal, and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#child.kill(signal);
  }

  /** Kills the process if it runs, and starts it again on the same ports and data. */
  async restart(changes: Partial<DevnetProcessOptions> = {}): Promise<void> {
    await this.kill();
    this.options = { ...this.options, ...changes };
    await this.#spawn();
  }

  /** Stops the process cleanly; one that does not stop is killed. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child.signal('SIGKILL'), STOPPED_WITHIN_MS);
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

  /** An L1 reorg from that L1 block upwards: op-node walks its head back, now or when it is started again. */
  async reorgL1(from: number): Promise<void> {
    this.options = { ...this.options, l1Reorgs: [...(this.options.l1Reorgs ?? []), from] };
    if (this.pid !== undefined) await this.control('reorg', { from });
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
    await this.#child.start([...enter, process.execPath, ...entryPoint(), ...flags]);
  }
}

/** Each of jest's workers picks from a range of its own: a port that one has picked is not bound at once. */
const PORTS_PER_WORKER = 4_000;
const WORKERS_MAX = 4;
const workerIndex = (Number(process.env['JEST_WORKER_ID'] ?? 1) - 1) % WORKERS_MAX;
const PICKED_MAX = PORTS_PER_WORKER / 2;
const picked = new Set<number>();

/** Ports that are free, and picked for nobody else, outside the range from which the system takes ports for clients. */
export async function pickPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 15_000 + Math.floor((workerIndex + Math.random()) * PORTS_PER_WORKER);
    if (picked.has(port)) continue;
    if (picked.size >= PICKED_MAX) picked.clear();
    picked.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
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
