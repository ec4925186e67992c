import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { HttpServer } from './index.js';
import { createRpcServer } from './index.js';
import { FakeConductor } from './testing/fake-conductor.js';
import type { RecordedCall } from './testing/rpc-recording.js';
import { readRpcRecording } from './testing/rpc-recording.js';
import type { HttpAnswer } from './testing/send-http.js';
import { sendHttp } from './testing/send-http.js';
import { describeWithShared } from './testing/shared-data.js';

/** A recorded call that we answer differently on purpose. */
interface Difference {
  group: string;
  name: string;
  answer: HttpAnswer;
  why: string;
}

const differences = JSON.parse(
  readFileSync(new URL('testdata/differences.json', import.meta.url), 'utf8'),
) as Difference[];

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

/** Groups whose answers come from the conductor behind the RPC, and so are no matter of this folder. */
const SKIPPED_GROUPS: Record<string, string> = {
  'conflicting-payload': 'the rules of the chain state decide',
  'proxy-leader': 'eth_*, optimism_*, admin_* and miner_* are proxied to backends',
  'proxy-follower': 'eth_*, optimism_*, admin_* and miner_* are proxied to backends',
  'follower-refuses': 'the cluster decides, and the new server is dialled',
  membership: 'the cluster decides; only the rows about parameters are replayed',
  transfer: 'the cluster decides',
  stop: 'the process ends',
};

describeWithShared('recorded calls', () => {
  const recording = readRpcRecording();
  const servers: Record<string, HttpServer> = {};
  const ports: Record<string, number> = {};

  beforeAll(async () => {
    for (const role of ['leader', 'follower']) {
      const server = createRpcServer({
        api: new FakeConductor(role === 'leader'),
        version: 'v0.0.1',
        logger: pino({ level: 'silent' }),
        host: '127.0.0.1',
        port: 0,
      });
      servers[role] = server;
      ports[role] = (await server.start()).port;
    }
  });

  afterAll(async () => {
    await Promise.all(Object.values(servers).map((server) => server.stop(1000)));
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

  it('lists only differences of replayed groups, each with its reason', () => {
    for (const { group, name, why } of differences) {
      expect(REPLAYED_GROUPS).toContain(group);
      expect([name, why.length > 20]).toEqual([name, true]);
    }
  });

  /** Sends the calls in order and returns our answers where they are not the recorded ones. */
  async function deviations(calls: RecordedCall[]): Promise<{ name: string; answer: HttpAnswer }[]> {
    const found: { name: string; answer: HttpAnswer }[] = [];
    for (const { to, name, request, response } of calls) {
      const { status, contentType, body } = await sendHttp(ports[to]!, request);
      const sameBody =
        response.bodyCut === undefined
          ? body === response.body
          : body.length === response.bodyCut && body.startsWith(response.body ?? '');
      if (status === response.status && contentType === response.contentType && sameBody) continue;
      found.push({ name, answer: { status, contentType, body } });
    }
    return found;
  }
});
