import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MIB } from '../../common/bytes.js';
import type { HttpServer } from './json-rpc/http-server.js';
import { createRpcServer } from './rpc-server.js';
import { JsonRpcClient } from '../clients/json-rpc-client.js';
import { FakeConductor } from './testing/fake-conductor.js';
import { LARGE_BODIES_FROM_SOURCES } from './testing/large-bodies.js';
import type { RecordedCall } from './testing/rpc-recording.js';
import { deviation, differences, readRpcRecording } from './testing/rpc-recording.js';
import type { HttpAnswer } from './testing/send-http.js';
import { sendHttp } from './testing/send-http.js';

const REPLAYED_GROUPS = [
  'json-rpc',
  'getters',
  'pause-leader',
  'override-leader',
  'pause-follower',
  'override-follower',
  'bad-payload-leader',
  'bad-payload-follower',
];

/** Groups answered by the conductor behind the RPC; e2e/tests/conformance-rpc.test.ts replays all. */
const SKIPPED_GROUPS: Record<string, string> = {
  'conflicting-payload': 'the rules of the chain state decide',
  'proxy-leader': 'eth_*, optimism_*, admin_* and miner_* are proxied to backends',
  'proxy-follower': 'eth_*, optimism_*, admin_* and miner_* are proxied to backends',
  'follower-refuses': 'the cluster decides, and the new server is dialled',
  membership: 'the cluster decides; only the rows about parameters are replayed',
  transfer: 'the cluster decides',
  stop: 'the process ends',
};

describe('recorded calls', () => {
  const recording = readRpcRecording();
  const servers: Record<string, HttpServer> = {};
  const ports: Record<string, number> = {};
  // The names of the proxied methods are part of the recording; nobody calls them here.
  const backend = new JsonRpcClient({ url: 'http://127.0.0.1:1' });

  beforeAll(async () => {
    for (const role of ['leader', 'follower']) {
      const server = createRpcServer({
        largeBodies: LARGE_BODIES_FROM_SOURCES,
        api: new FakeConductor(role === 'leader'),
        proxies: { node: backend, execution: backend },
        version: 'v0.0.1',
        logger: pino({ level: 'silent' }),
        host: '127.0.0.1',
        port: 0,
        bodyLimitBytes: 32 * MIB,
      });
      servers[role] = server;
      ports[role] = (await server.start()).port;
    }
  });

  afterAll(async () => {
    await Promise.all(Object.values(servers).map((server) => server.stop(1000)));
    await backend.close();
  });

  it('knows every group of the recording', () => {
    const groups = new Set(recording.map((call) => call.group));
    expect([...groups].sort()).toEqual([...REPLAYED_GROUPS, ...Object.keys(SKIPPED_GROUPS)].sort());
  });

  it.each(REPLAYED_GROUPS)('%s: the same answers, but for the listed ones', async (group) => {
    const calls = recording.filter((call) => call.group === group);
    expect(calls.length).toBeGreaterThan(0);
    expect(await deviations(calls)).toEqual(
      differences
        .filter((difference) => difference.group === group)
        .map(({ name, answer }) => ({ name, answer })),
    );
  });

  it('membership: the same answers to wrong parameters', async () => {
    const calls = recording.filter(
      (call) => call.group === 'membership' && call.response.body?.includes('"code":-32602'),
    );
    expect(calls).toHaveLength(6);
    expect(await deviations(calls)).toEqual([]);
  });

  it('lists no difference without its reason, and no row twice', () => {
    for (const { name, why } of differences) expect([name, why.length > 20]).toEqual([name, true]);
    const rows = differences.map(({ group, name, to }) => `${group}: ${name} (${to})`);
    expect(rows.length).toBe(new Set(rows).size);
  });

  /** Sends the calls in order and returns our answers that differ from the recorded ones. */
  async function deviations(calls: RecordedCall[]): Promise<{ name: string; answer: HttpAnswer }[]> {
    const found: { name: string; answer: HttpAnswer }[] = [];
    for (const call of calls) {
      const answer = deviation(call, await sendHttp(ports[call.to]!, call.request));
      if (answer) found.push({ name: call.name, answer });
    }
    return found;
  }
});
