import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MIB } from '../../common/bytes.js';
import { PartialTolerance } from './partial-tolerance.js';
import {
  RollupBoostProbe,
  type RollupBoostAnswer,
  type RollupBoostHealth,
  type RollupBoostVariant,
} from './rollup-boost.js';

let server: Server;
let url: string;
let answer: { status: number; body: string; endless?: true } | 'hang';
let asked: string[];
let authorization: string | undefined;
let probe: RollupBoostProbe;
let nowMs: number;

function build(variant: RollupBoostVariant, tolerance = new PartialTolerance(0, 0)): void {
  probe = new RollupBoostProbe(variant, tolerance, () => nowMs);
}
const ask = (timeoutMs = 5000): Promise<RollupBoostAnswer> => probe.call({ timeoutMs });

async function waitForNoConnections(): Promise<void> {
  const open = (): Promise<number> => new Promise((resolve) => server.getConnections((_, n) => resolve(n)));
  while ((await open()) > 0) await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(async () => {
  asked = [];
  nowMs = 1_000_000;
  answer = { status: 200, body: '' };
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    ({ authorization } = request.headers);
    if (answer === 'hang') return;
    response.statusCode = answer.status;
    if (answer.endless) response.write(answer.body);
    else response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await probe.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('rollup-boost by status code', () => {
  it.each<[number, RollupBoostHealth]>([
    [200, 'healthy'],
    [206, 'partial'],
    [503, 'unhealthy'],
  ])('%i is %s', async (status, health) => {
    answer = { status, body: 'whatever' };
    build({ by: 'status', executionUrl: url });
    expect(await ask()).toEqual({ health, tolerated: false });
  });

  it('reads only the status', async () => {
    build({ by: 'status', executionUrl: url });
    for (const body of [{ body: 'x'.repeat(2 * MIB) }, { body: '.', endless: true } as const]) {
      answer = { status: 200, ...body };
      expect(await ask()).toEqual({ health: 'healthy', tolerated: false });
    }
    await waitForNoConnections();
  });

  it('asks execution.rpc/healthz, even if that URL ends with a slash', async () => {
    for (const executionUrl of [url, `${url}/`, `${url}/engine/`]) {
      build({ by: 'status', executionUrl });
      await ask();
      await probe.close();
    }
    expect(asked).toEqual(['GET /healthz', 'GET /healthz', 'GET /engine/healthz']);
  });

  it('gives no answer with another status, too late, or without a server', async () => {
    build({ by: 'status', executionUrl: url });
    answer = { status: 404, body: '' };
    await expect(ask()).rejects.toThrow('unexpected status code: 404');
    answer = 'hang';
    await expect(ask(50)).rejects.toThrow('no answer within 50 ms');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(ask()).rejects.toThrow('ECONNREFUSED');
  });

  it('is asked with the user name and password of its URL, by both variants', async () => {
    const secret = url.replace('//', '//user:s3cret%21@');
    answer = { status: 200, body: JSON.stringify({ rollup_boost_health: 'Healthy' }) };
    for (const variant of [
      { by: 'status', executionUrl: secret } as const,
      { by: 'json', url: secret } as const,
    ]) {
      authorization = undefined;
      build(variant);
      expect(await ask()).toMatchObject({ health: 'healthy' });
      await probe.close();
      expect(authorization).toBe(`Basic ${Buffer.from('user:s3cret!').toString('base64')}`);
    }
  });

  it('ends with its signal', async () => {
    build({ by: 'status', executionUrl: url });
    answer = 'hang';
    const ending = new AbortController();
    const asking = probe.call({ timeoutMs: 600_000, signal: ending.signal });
    ending.abort(new Error('over'));
    await expect(asking).rejects.toThrow('over');
  });
});

describe('rollup-boost by JSON', () => {
  const json = (health: unknown): void => {
    answer = { status: 200, body: JSON.stringify({ version: '1', rollup_boost_health: health }) };
  };
  beforeEach(() => build({ by: 'json', url: `${url}/next?full=1` }));

  it.each<[string, RollupBoostHealth]>([
    ['Healthy', 'healthy'],
    ['PartialContent', 'partial'],
    ['ServiceUnavailable', 'unhealthy'],
  ])('%s is %s', async (name, health) => {
    json(name);
    expect(await ask()).toEqual({ health, tolerated: false });
    expect(asked).toEqual(['GET /next?full=1']);
  });

  it('gives no answer when it is invalid', async () => {
    json('Splendid');
    await expect(ask()).rejects.toThrow('unexpected rollup_boost_health: "Splendid"');
    json('constructor');
    await expect(ask()).rejects.toThrow('unexpected rollup_boost_health: "constructor"');
    json(7);
    await expect(ask()).rejects.toThrow('answer without rollup_boost_health');
    answer = { status: 200, body: '<html>' };
    await expect(ask()).rejects.toThrow('answer is not JSON');
    answer = { status: 206, body: '{"rollup_boost_health":"Healthy"}' };
    await expect(ask()).rejects.toThrow('unexpected status code: 206');
    answer = { status: 200, body: `{"rollup_boost_health":"Healthy","x":"${'x'.repeat(MIB)}"}` };
    await expect(ask()).rejects.toThrow('exceeded');
  });
});

describe('tolerance', () => {
  it('covers partial answers only, until its window is used up', async () => {
    build({ by: 'status', executionUrl: url }, new PartialTolerance(2, 10));
    const tolerated: boolean[] = [];
    for (const status of [206, 200, 206, 503, 206]) {
      answer = { status, body: '' };
      tolerated.push((await ask()).tolerated);
    }
    expect(tolerated).toEqual([true, false, true, false, false]);
    nowMs += 10_000;
    answer = { status: 206, body: '' };
    expect((await ask()).tolerated).toBe(true);
  });
});
