import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MIB } from '../../common/bytes.js';
import { startFakeRpcServer, type FakeRpcServer } from '../clients/testing/fake-rpc-server.js';
import { JsonRpcClient } from '../clients/json-rpc-client.js';
import type { HttpServer } from './json-rpc/http-server.js';
import { createRpcServer } from './rpc-server.js';
import { FakeConductor } from './testing/fake-conductor.js';
import { sendRpc } from './testing/send-http.js';

/** Members in another order, an unknown one, integers that JSON.parse rounds, spaces. */
const RAW = '{"zeta": 18446744073709551615, "alpha":[1e3, {"deep":"\\u003c"}],"hash":"0xAB" }';
const REFUSAL = { code: -32000, message: 'refusing to proxy request to non-leader sequencer' };
const TIMEOUT_MS = 300;

/** Method, valid parameters, and the backend that it belongs to. */
const LEADER_ONLY: [string, unknown[], 'node' | 'execution'][] = [
  ['eth_getBlockByNumber', ['0x10', true], 'execution'],
  ['eth_getBlockByNumber', ['finalized', false], 'execution'],
  ['eth_chainId', [], 'execution'],
  ['optimism_syncStatus', [], 'node'],
  ['optimism_outputAtBlock', ['0x10'], 'node'],
  ['optimism_rollupConfig', [], 'node'],
  ['optimism_version', [], 'node'],
  ['optimism_safeHeadAtL1Block', ['0x10'], 'node'],
  ['admin_sequencerActive', [], 'node'],
];
const DA_SIZE: [string, unknown[]] = ['miner_setMaxDASize', ['0x10000', '0x0']];

describe('proxies', () => {
  const backends = {} as Record<'node' | 'execution', FakeRpcServer>;
  const clients = {} as Record<'node' | 'execution', JsonRpcClient>;
  let conductor: FakeConductor;
  let server: HttpServer;
  let port: number;

  beforeEach(async () => {
    for (const name of ['node', 'execution'] as const) {
      backends[name] = await startFakeRpcServer(() => ({ result: true }));
      clients[name] = new JsonRpcClient({ url: backends[name].url, timeoutMs: TIMEOUT_MS });
    }
    conductor = new FakeConductor(false);
    server = createRpcServer({
      api: conductor,
      proxies: clients,
      version: 'v1',
      logger: pino({ level: 'silent' }),
      host: '127.0.0.1',
      port: 0,
      bodyLimitBytes: MIB,
    });
    ({ port } = await server.start());
  });
  afterEach(async () => {
    await server.stop(0);
    for (const client of Object.values(clients)) await client.close();
    for (const backend of Object.values(backends)) await backend.close();
  });

  async function send(method: string, params?: unknown): Promise<string> {
    return (await sendRpc(port, JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }))).body;
  }
  async function errorOf(
    method: string,
    params?: unknown,
  ): Promise<{ code: number; message: string; data?: unknown }> {
    return (JSON.parse(await send(method, params)) as { error: { code: number; message: string } }).error;
  }
  /** Answers every call of a backend with these bytes as result. */
  const answerRaw = (backend: FakeRpcServer, member: string): void => {
    backend.answer = ({ body }) => ({
      raw: `{ "id":${(JSON.parse(body) as { id: number }).id}, ${member}, "jsonrpc":"2.0"}`,
    });
  };

  it.each(LEADER_ONLY)(
    '%s %j reaches the leader’s %s, and the answer the client byte for byte',
    async (method, params, to) => {
      conductor.overrideLeader(true);
      answerRaw(backends[to], `"result":${RAW}`);
      expect(await send(method, params)).toBe(`{"jsonrpc":"2.0","id":7,"result":${RAW}}\n`);
      expect(backends[to].requests).toMatchObject([{ method, params }]);
      expect(backends[to === 'node' ? 'execution' : 'node'].requests).toEqual([]);
    },
  );

  it.each(LEADER_ONLY)(
    '%s %j is refused by others, without a call of the backend',
    async (method, params, to) => {
      expect(await errorOf(method, params)).toEqual(REFUSAL);
      expect(backends[to].requests).toEqual([]);
    },
  );

  it('refuses an answer that came after leadership was lost', async () => {
    conductor.overrideLeader(true);
    backends.node.answer = () => {
      conductor.overrideLeader(false);
      return { result: true };
    };
    expect(await errorOf('admin_sequencerActive')).toEqual(REFUSAL);
    expect(backends.node.requests).toHaveLength(1);
  });

  it('passes a null result on', async () => {
    conductor.overrideLeader(true);
    answerRaw(backends.execution, '"result":null');
    expect(await send('eth_getBlockByNumber', ['0xffffff', false])).toBe(
      '{"jsonrpc":"2.0","id":7,"result":null}\n',
    );
  });

  it('passes miner_setMaxDASize on whether or not it leads, errors with their code and data', async () => {
    expect(await send(...DA_SIZE)).toBe('{"jsonrpc":"2.0","id":7,"result":true}\n');
    expect(backends.execution.requests).toMatchObject([{ method: DA_SIZE[0], params: DA_SIZE[1] }]);
    const error = { code: -32601, message: 'the method miner_setMaxDASize does not exist/is not available' };
    backends.execution.answer = () => ({ error });
    expect(await errorOf(...DA_SIZE)).toEqual(error);
    answerRaw(backends.execution, `"error":{"data":${RAW}, "code":3,"message":"no"}`);
    expect(await send(...DA_SIZE)).toBe(
      `{"jsonrpc":"2.0","id":7,"error":{"code":3,"message":"no","data":${RAW}}}\n`,
    );
  });

  it.each<[string, FakeRpcServer['answer'], RegExp]>([
    ['hangs', () => 'hang', /no answer within 300 ms/],
    ['stalls in its answer', () => ({ stallAfter: '{"jsonrpc"' }), /no answer within 300 ms/],
    ['breaks the connection', () => 'reset', /miner_setMaxDASize at http/],
    ['answers with HTTP 503', () => ({ raw: 'busy', status: 503 }), /HTTP status 503: busy/],
    ['answers no JSON', () => ({ raw: '<html>' }), /answer is not JSON-RPC 2.0: <html>/],
    [
      'answers another request',
      () => ({ raw: '{"jsonrpc":"2.0","id":-1,"result":true}' }),
      /another request/,
    ],
    ['answers nothing', () => ({ raw: '{"jsonrpc":"2.0"}' }), /answer to another request|without result/],
    ['answers a bad error', () => ({ raw: '{"jsonrpc":"2.0","error":{"code":"x"}}' }), /is not JSON-RPC 2.0/],
  ])('is an error of the application when the backend %s', async (_name, answer, text) => {
    backends.execution.answer = answer;
    const error = await errorOf(...DA_SIZE);
    expect(error.code).toBe(-32000);
    expect(error.message).toMatch(text);
  });

  it('is an error of the application when the backend is gone', async () => {
    await backends.execution.close();
    expect(await errorOf(...DA_SIZE)).toMatchObject({
      code: -32000,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it.each<[string, unknown[], number, string]>([
    ['eth_getBlockByNumber', [], -32602, 'missing value for required argument 0'],
    ['eth_getBlockByNumber', ['0x0'], -32602, 'missing value for required argument 1'],
    ['eth_getBlockByNumber', ['nope', false], -32602, 'invalid argument 0: hex string without 0x prefix'],
    ['eth_getBlockByNumber', [5, false], -32602, 'invalid argument 0: hex string without 0x prefix'],
    [
      'eth_getBlockByNumber',
      ['0x01', false],
      -32602,
      'invalid argument 0: hex number with leading zero digits',
    ],
    [
      'eth_getBlockByNumber',
      ['0x8000000000000000', false],
      -32602,
      'invalid argument 0: block number larger than int64',
    ],
    [
      'eth_getBlockByNumber',
      ['0x10000000000000000', false],
      -32602,
      'invalid argument 0: hex number > 64 bits',
    ],
    [
      'eth_getBlockByNumber',
      ['0x0', 1],
      -32602,
      'invalid argument 1: json: cannot unmarshal number into Go value of type bool',
    ],
    ['optimism_outputAtBlock', [], -32602, 'missing value for required argument 0'],
    [
      'optimism_outputAtBlock',
      [5],
      -32602,
      'invalid argument 0: json: cannot unmarshal number into Go value of type string',
    ],
    ['optimism_outputAtBlock', ['5'], -32000, 'failed to decode block number: hex string without 0x prefix'],
    ['admin_sequencerActive', [1], -32602, 'too many arguments, want at most 0'],
    ['miner_setMaxDASize', ['0x0', '0x0', '0x0'], -32602, 'too many arguments, want at most 2'],
    [
      'miner_setMaxDASize',
      ['0x0', 7],
      -32602,
      'invalid argument 1: json: cannot unmarshal non-string into Go value of type *hexutil.Big',
    ],
    [
      'miner_setMaxDASize',
      ['x', '0x0'],
      -32602,
      'invalid argument 0: json: cannot unmarshal hex string without 0x prefix into Go value of type *hexutil.Big',
    ],
  ])('%s %j is refused before anything else', async (method, params, code, message) => {
    expect(await errorOf(method, params)).toEqual({ code, message });
    expect([...backends.node.requests, ...backends.execution.requests]).toEqual([]);
  });

  it('do not exist unless they are configured', async () => {
    const without = createRpcServer({
      api: conductor,
      version: 'v1',
      logger: pino({ level: 'silent' }),
      host: '127.0.0.1',
      port: 0,
      bodyLimitBytes: MIB,
    });
    const { port: otherPort } = await without.start();
    const ask = async (to: number, method: string): Promise<string> =>
      (await sendRpc(to, `{"jsonrpc":"2.0","id":1,"method":"${method}"}`)).body;
    expect(await ask(otherPort, 'admin_sequencerActive')).toContain('-32601');
    expect(await ask(otherPort, 'rpc_modules')).toContain('{"conductor":"1.0","health":"1.0","rpc":"1.0"}');
    expect(await ask(port, 'rpc_modules')).toContain(
      '{"admin":"1.0","conductor":"1.0","eth":"1.0","health":"1.0","miner":"1.0","optimism":"1.0","rpc":"1.0"}',
    );
    await without.stop(0);
  });
});
