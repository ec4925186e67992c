import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readJsonLines } from '../../common/testing/fixtures.js';
import { ClientError } from './client-error.js';
import { ExecutionClient } from './execution-client.js';
import { startFakeRpcServer, type FakeRpcServer } from './testing/fake-rpc-server.js';
import { OpNodeClient } from './op-node-client.js';
import { StartRefusedError } from './start-refusal.js';

/** One exchange; both layouts of the recordings in one form. */
interface Exchange {
  name: string;
  to: string;
  method: string;
  params: unknown[];
  request: string;
  answer: string;
}

interface Row {
  to: string;
  name?: string;
  request: string | { body: string };
  body?: string;
  response?: { body: string };
}

function load(file: string): Exchange[] {
  return readJsonLines<Row>(`recordings/${file}`).map((row, i) => {
    const request = typeof row.request === 'string' ? row.request : row.request.body;
    const { method, params = [] } = JSON.parse(request) as { method: string; params?: unknown[] };
    const name = row.name ?? `${method} #${i + 1}`;
    return { name, to: row.to, method, params, request, answer: (row.body ?? row.response?.body)! };
  });
}

function recorded(exchange: Exchange): { result?: unknown; error?: { code: number; message: string } } {
  return JSON.parse(exchange.answer) as { result?: unknown; error?: { code: number; message: string } };
}

let server: FakeRpcServer;
let node: OpNodeClient;
let execution: ExecutionClient;
let current: Exchange;

beforeAll(async () => {
  server = await startFakeRpcServer(() => ({ recorded: current.answer }));
  node = new OpNodeClient({ url: server.url });
  execution = new ExecutionClient({ url: server.url });
});
afterAll(async () => {
  await node.close();
  await execution.close();
  await server.close();
});
afterEach(() => {
  server.requests.length = 0;
});

/** Our client's result for an answer: a value, or the error. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) => error);
}

/** Methods that a conductor does not call, or that op-conductor called only for its proxies. */
const notOurs = new Set(['optimism_version', 'optimism_rollupConfig', 'eth_syncing', 'miner_setMaxDASize']);

interface WireBlock {
  hash: string;
  number: number;
  parentHash: string;
  timestamp: number;
}

function ref({ hash, number, parentHash, timestamp }: WireBlock): WireBlock {
  return { hash, number, parentHash, timestamp };
}

function l1BlockOf({ hash, number, parentHash }: WireBlock): object {
  return { hash, number, parentHash };
}

function headInfo({ number, timestamp }: WireBlock): object {
  return { number, timestamp };
}

async function checkNodeExchange(exchange: Exchange): Promise<void> {
  const { result, error } = recorded(exchange);
  switch (exchange.method) {
    case 'admin_sequencerActive':
      expect(await node.sequencerActive()).toBe(result);
      return;
    case 'admin_conductorEnabled':
      expect(await node.conductorEnabled()).toBe(result);
      return;
    case 'admin_overrideLeader':
      expect(await outcome(node.overrideLeader())).toBeUndefined();
      return;
    case 'opp2p_peerStats':
      expect(await node.peerStats()).toEqual({ connected: (result as { connected: number }).connected });
      return;
    case 'optimism_syncStatus': {
      const wire = result as Record<'unsafe_l2' | 'safe_l2' | 'head_l1' | 'current_l1', WireBlock>;
      expect(await node.syncStatus()).toEqual({
        unsafeL2: { ...headInfo(wire.unsafe_l2), hash: wire.unsafe_l2.hash },
        safeL2: headInfo(wire.safe_l2),
        l1Blocks: [wire.head_l1, wire.current_l1].map(l1BlockOf),
      });
      return;
    }
    case 'admin_stopSequencer':
      expect(await node.stopSequencer()).toEqual(
        error ? { head: null, wasRunning: false } : { head: result, wasRunning: true },
      );
      return;
    case 'admin_startSequencer': {
      const got = await outcome(node.startSequencer(String(exchange.params[0])));
      if (!error) expect(got).toEqual({ alreadyRunning: false });
      else if (error.message === 'sequencer already running') expect(got).toEqual({ alreadyRunning: true });
      else if (error.code === -32602) expect(got).toBeInstanceOf(ClientError);
      else expect(got).toBeInstanceOf(StartRefusedError);
      return;
    }
    case 'admin_postUnsafePayload': {
      const text = /"params": ?\[(.*)\]\}$/s.exec(exchange.request)![1]!;
      const got = await outcome(node.postUnsafePayload(text));
      if (!error) expect(got).toBeUndefined();
      else {
        expect((got as ClientError).failure).toEqual({
          code: 'rpc-error',
          rpcCode: error.code,
          rpcMessage: error.message,
        });
      }
      expect(server.requests[0]!.body).toContain(`"params":[${text}]}`);
      return;
    }
    default:
      throw new Error(`no client method for ${exchange.method}`);
  }
}

async function checkExecutionExchange(exchange: Exchange): Promise<void> {
  const { result } = recorded(exchange);
  switch (exchange.method) {
    case 'net_peerCount':
      expect(await execution.peerCount()).toBe(Number(result));
      return;
    case 'admin_peers':
      expect(await execution.adminPeerCount()).toBe((result as unknown[]).length);
      return;
    case 'eth_getBlockByNumber': {
      const tag = exchange.params[0] as string;
      const call = tag === 'latest' ? execution.latestBlock() : execution.blockByNumber(Number(tag));
      const wire = result as { hash: string; number: string; parentHash: string; timestamp: string } | null;
      expect(await call).toEqual(
        wire && ref({ ...wire, number: Number(wire.number), timestamp: Number(wire.timestamp) }),
      );
      expect(server.requests[0]!.params).toEqual([tag, false]);
      return;
    }
    default:
      throw new Error(`no client method for ${exchange.method}`);
  }
}

describe('recorded answers', () => {
  const files = ['op-node.jsonl', 'conductor-to-node.jsonl', 'conductor-to-execution.jsonl'];
  const exchanges = files.flatMap(load).filter(({ method }) => !notOurs.has(method));
  const table = exchanges.map((exchange) => [`${exchange.to}: ${exchange.name}`, exchange] as const);

  it.each(table)('understands %s', async (_name, exchange) => {
    current = exchange;
    if (/^(eth|net)_|admin_peers/.test(exchange.method)) await checkExecutionExchange(exchange);
    else await checkNodeExchange(exchange);
  });

  it('covers every recorded refusal to start', async () => {
    const reasons = new Set<string>();
    for (const exchange of exchanges.filter(({ method }) => method === 'admin_startSequencer')) {
      current = exchange;
      const got = await outcome(node.startSequencer('0x00'));
      if (got instanceof StartRefusedError) reasons.add(got.code);
      if (got instanceof StartRefusedError && got.refusal.reason === 'hash-mismatch') {
        const [head, number] = /head (\S+):(\d+)/.exec(exchange.answer)!.slice(1);
        expect(got.refusal.head).toEqual({ hash: head, number: Number(number) });
      }
    }
    expect([...reasons].sort()).toEqual(['hash-mismatch', 'not-leader']);
  });
});
