import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CommitWitness } from './commit-witness.js';
import { freePorts } from './ports.js';

const BLOCK = { blockNumber: '0x1f', blockHash: '0xab', parentHash: '0xcd' };
const SUCCESS = '{"jsonrpc":"2.0","id":1,"result":null}';
const REFUSAL = '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"not leader"}}';

describe('CommitWitness', () => {
  let witness: CommitWitness;
  let conductor: Server;
  let url: string;
  let respond: (response: ServerResponse) => void;
  let stopWatching: () => void;

  beforeEach(async () => {
    witness = new CommitWitness(() => undefined);
    conductor = createServer((_, response) => respond(response)).listen(0, '127.0.0.1');
    await once(conductor, 'listening');
    const [witnessPort = 0] = await freePorts(1);
    const { port } = conductor.address() as AddressInfo;
    url = `http://127.0.0.1:${witnessPort}`;
    const conductorUrl = `http://127.0.0.1:${port}`;
    stopWatching = await witness.watch({ name: 'a', witnessUrl: url, conductorUrl });
  });

  afterEach(() => {
    stopWatching();
    conductor.close().closeAllConnections();
  });

  const commit = (signal?: AbortSignal): Promise<string> =>
    ask('conductor_commitUnsafePayload', [{ executionPayload: BLOCK }], signal);

  async function ask(method: string, params: unknown[], signal: AbortSignal | null = null): Promise<string> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    return response.text();
  }

  it('notes a block whose commit is answered with success, and passes the answer on', async () => {
    respond = (response) => response.end(SUCCESS);
    expect(await commit()).toBe(SUCCESS);
    expect(witness.acknowledged).toMatchObject([{ node: 'a', number: 31, hash: '0xab', parentHash: '0xcd' }]);
    expect(witness.wasBrought('0xab')).toBe(true);
  });

  it('knows a refused block only as requested', async () => {
    respond = (response) => response.end(REFUSAL);
    expect(await commit()).toBe(REFUSAL);
    expect(witness.acknowledged).toEqual([]);
    expect(witness.wasBrought('0xab')).toBe(true);
  });

  it('passes other calls on and notes nothing', async () => {
    respond = (response) => response.end('{"jsonrpc":"2.0","id":1,"result":true}');
    expect(await ask('conductor_leader', [])).toContain('true');
    expect(witness.acknowledged).toEqual([]);
    expect(witness.wasBrought('0xab')).toBe(false);
  });

  it('tells the conductor that its caller has hung up, and counts nothing as acknowledged', async () => {
    const caller = new AbortController();
    const heard = new Promise<void>((resolve) => {
      respond = (response) => {
        response.once('close', resolve);
        caller.abort();
      };
    });
    await expect(commit(caller.signal)).rejects.toThrow();
    await heard;
    expect(witness.acknowledged).toEqual([]);
  });

  it('hangs up on its caller if the conductor is down', async () => {
    conductor.close().closeAllConnections();
    await expect(commit()).rejects.toThrow();
    expect(witness.acknowledged).toEqual([]);
  });
});
