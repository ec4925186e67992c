import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { request } from 'undici';
import type { ControlInput, ControlName } from './control.js';
import { startFakeConductor, type FakeConductor } from './fake-conductor.js';
import { startNode, type NodeInput, type RunningNode } from './node.js';

const GIVE_UP_AFTER_MS = 10_000;

/** Waits until a condition holds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const endMs = Date.now() + GIVE_UP_AFTER_MS; !(await condition()); await sleep(5)) {
    if (Date.now() > endMs) throw new Error(`gave up waiting: ${what}`);
  }
}

export interface RpcAnswer {
  result?: unknown;
  error?: { code: number; message: string };
}

/** Calls a JSON-RPC method and returns the whole answer. */
export async function rpc(url: string, method: string, ...params: unknown[]): Promise<RpcAnswer> {
  return JSON.parse(await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))) as RpcAnswer;
}

/** Posts JSON and returns the body of the answer. */
export async function post(url: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await request(url, { method: 'POST', headers, body });
  return response.body.text();
}

/** A node with a conductor that answers as told. */
export interface TestNode {
  node: RunningNode;
  conductor: FakeConductor;
  dataDir: string;
  nodeRpc: string;
  executionRpc: string;
  p2pUrl: string;
  control<N extends ControlName>(name: N, body: ControlInput<N>): Promise<unknown>;
}

/** Options with short pauses, so that tests need not wait for op-node's. Nodes of one file have the same genesis. */
export const SHORT_PAUSES = {
  genesisTime: Math.floor(Date.now() / 1000),
  blockTimeMs: 40,
  commitBackoffMs: 30,
  conductorRpcTimeoutMs: 400,
};

export const headNumber = ({ node }: TestNode): number => node.state().head.number;

/** Starts the sequencer at the node's head. */
export function startSequencer({ node, nodeRpc }: TestNode): Promise<RpcAnswer> {
  return rpc(nodeRpc, 'admin_startSequencer', node.state().unsafeHead.hash);
}

/** Nodes of one test inside its process; `stop` ends them and removes their data. */
export class TestNetwork {
  readonly #stops: (() => Promise<void>)[] = [];

  /** A folder that is removed in the end. */
  folder(): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'baton-devnet-'));
    this.#stops.push(async () => rmSync(folder, { recursive: true }));
    return folder;
  }

  async startConductor(isLeader = true): Promise<FakeConductor> {
    const conductor = await startFakeConductor(isLeader);
    this.#stops.push(() => conductor.stop());
    return conductor;
  }

  async startNode(options: Partial<NodeInput> = {}): Promise<TestNode> {
    const conductor = await this.startConductor();
    const dataDir = options.dataDir ?? this.folder();
    const now = Math.floor(Date.now() / 1000);
    const node = await startNode(
      { name: 'node', dataDir, genesisTime: now, conductorRpc: conductor.url, ...options },
      pino({ level: 'silent' }),
      () => {},
    );
    this.#stops.push(() => node.stop());
    const url = (port: number) => `http://127.0.0.1:${port}`;
    const { elPort, nodePort, p2pPort, controlPort } = node.ports;
    return {
      node,
      conductor,
      dataDir,
      nodeRpc: url(nodePort),
      executionRpc: url(elPort),
      p2pUrl: url(p2pPort),
      control: async (name, body) =>
        JSON.parse(await post(`${url(controlPort)}/control/${name}`, JSON.stringify(body))) as unknown,
    };
  }

  /** A sequencing node and a standby, connected, with blocks on both. */
  async startPair(options: Partial<NodeInput> = {}): Promise<[active: TestNode, standby: TestNode]> {
    const standby = await this.startNode({ ...SHORT_PAUSES, ...options, name: 'standby' });
    const peers = [standby.p2pUrl];
    const active = await this.startNode({ ...SHORT_PAUSES, ...options, name: 'active', peers });
    await standby.control('peers', { peers: [active.p2pUrl] });
    await until(() => standby.node.state().connectedPeers === 1, 'connected peers');
    const { error } = await startSequencer(active);
    if (error) throw new Error(`the sequencer does not start: ${error.message}`);
    await until(() => headNumber(standby) >= 2, 'blocks on the standby');
    return [active, standby];
  }

  async stop(): Promise<void> {
    const stop = this.#stops.pop();
    if (stop === undefined) return;
    try {
      await stop();
    } finally {
      await this.stop();
    }
  }
}
