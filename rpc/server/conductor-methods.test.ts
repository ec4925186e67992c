import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MIB } from '../../common/bytes.js';
import { decodeEnvelope } from '../payload/decode-envelope.js';
import type { HttpServer } from './json-rpc/http-server.js';
import { createRpcServer } from './rpc-server.js';
import { FakeConductor } from './testing/fake-conductor.js';
import { sampleEnvelope } from './testing/sample-envelope.js';
import { sendRpc } from './testing/send-http.js';

const TIMES = {
  heartbeatIntervalMs: 50,
  electionTimeoutMs: 300,
  rankSlotMs: 15,
  jitterMs: 10,
  leaseTimeoutMs: 290,
};

describe('conductor methods', () => {
  let conductor: FakeConductor;
  let server: HttpServer;
  let port: number;
  let byHand: string[];

  beforeEach(async () => {
    conductor = new FakeConductor(true);
    byHand = [];
    server = createRpcServer({
      api: conductor,
      byHand: {
        start: async (head, withoutConsensus) => void byHand.push(`start ${head} ${withoutConsensus}`),
        stop: async () => {
          byHand.push('stop');
          return `0x${'ab'.repeat(32)}`;
        },
      },
      version: 'v1',
      logger: pino({ level: 'silent' }),
      host: '127.0.0.1',
      port: 0,
      bodyLimitBytes: MIB,
    });
    ({ port } = await server.start());
  });

  afterEach(() => server.stop(0));

  async function call(name: string, params: unknown[]): Promise<string> {
    const request = { jsonrpc: '2.0', id: 1, method: `conductor_${name}`, params };
    return (await sendRpc(port, JSON.stringify(request))).body;
  }

  it.each([
    ['transferLeader', []],
    ['transferLeaderToServer', ['b', 'b:1']],
    ['addServerAsVoter', ['b', 'b:1', 7]],
    ['addServerAsNonvoter', ['b', 'b:1', 7]],
    ['demoteVoter', ['b', 7, true]],
    ['removeServer', ['b', 0, false]],
    ['replaceServer', ['b', 'd', 'd:1', 7]],
    ['setTiming', ['lan-fast', 7]],
    ['setTiming', [TIMES, 0]],
    ['halt', ['alice@ops', 'bad upgrade']],
    ['endHalt', ['alice@ops', 'rolled back']],
    ['stop', []],
  ])('passes %s on', async (name, params) => {
    expect(await call(name, params)).toBe('{"jsonrpc":"2.0","id":1,"result":null}\n');
    expect(conductor.operations).toEqual([[name, ...params]]);
  });

  it('resetHead takes height, hash and reason, and the head that the caller saw', async () => {
    const [hash, seen] = [`0x${'ab'.repeat(32)}`, `0x${'cd'.repeat(32)}`];
    await call('resetHead', [7, `0x${'AB'.repeat(32)}`, ' why ']);
    await call('resetHead', [7, hash, 'why', seen]);
    expect(conductor.operations).toEqual([
      ['resetHead', { number: 7, hash }, 'why', undefined],
      ['resetHead', { number: 7, hash }, 'why', seen],
    ]);
  });

  it.each([
    [['7', '0x', 'why'], 'invalid argument 0: json: cannot unmarshal string'],
    [[7, '0xab', 'why'], 'invalid argument 1: \\"0xab\\" is not a 32-byte hash in hex'],
    [[7, `0x${'ab'.repeat(32)}`, ' '], 'invalid argument 2: give a reason'],
    [[7, `0x${'ab'.repeat(32)}`], 'missing value for required argument 2'],
    [[7, `0x${'ab'.repeat(32)}`, 'why', 'head'], 'invalid argument 3: \\"head\\" is not a 32-byte hash'],
  ])('resetHead refuses %j', async (params, text) => {
    expect(await call('resetHead', params)).toContain(`-32602,"message":"${text}`);
    expect(conductor.operations).toEqual([]);
  });

  it('startSequencer and stopSequencer need permission', async () => {
    const head = `0x${'ab'.repeat(32)}`;
    expect(await call('startSequencer', [head, true])).toContain('"result":null');
    expect(await call('stopSequencer', [])).toContain(`"result":"${head}"`);
    expect(byHand).toEqual([`start ${head} true`, 'stop']);
    expect(await call('startSequencer', ['0xab', true])).toContain('invalid argument 0');
    expect(await call('startSequencer', [head])).toContain('missing value for required argument 1');
    expect(byHand).toHaveLength(2);
  });

  it.each(['halt', 'endHalt'])('%s has an owner and a reason', async (name) => {
    expect(await call(name, [' ', 'why'])).toContain('invalid argument 0: say who decides this');
    expect(await call(name, ['alice@ops', ' '])).toContain('invalid argument 1: give a reason');
    await call(name, [`${'a'.repeat(200)}`, 'why']);
    expect(conductor.operations).toEqual([[name, 'a'.repeat(128), 'why']]);
  });

  it('setTiming names a missing or invalid time', async () => {
    const { jitterMs: _, ...four } = TIMES;
    for (const [times, field] of [
      [four, 'jitterMs'],
      [{ ...TIMES, leaseTimeoutMs: '1s' }, 'leaseTimeoutMs'],
      [7, 'timing'],
    ] as const) {
      expect(await call('setTiming', [times, 0])).toContain(
        `-32602,"message":"invalid argument 0: ${field}: `,
      );
    }
    expect(conductor.operations).toEqual([]);
  });

  it.each(['demoteVoter', 'removeServer'])('%s forces nothing unless it is asked to', async (name) => {
    await call(name, ['b', 7]);
    await call(name, ['b', 7, null]);
    expect(conductor.operations).toEqual([
      [name, 'b', 7, false],
      [name, 'b', 7, false],
    ]);
    expect(await call(name, ['b', 7, 'yes'])).toContain(
      'invalid argument 2: json: cannot unmarshal string into Go value of type bool',
    );
    expect(await call(name, ['b', 7, true, 1])).toContain('too many arguments, want at most 3');
    expect(conductor.operations).toHaveLength(2);
  });

  it('hands the decoded payload to the conductor', async () => {
    const envelope = sampleEnvelope({ transactions: ['0x7e01'] });
    expect(await call('commitUnsafePayload', [envelope])).toBe('{"jsonrpc":"2.0","id":1,"result":null}\n');
    expect(conductor.committed).toEqual([decodeEnvelope(envelope)]);
  });

  it('returns the newest payload in op-node’s form, and null before the first', async () => {
    expect(await call('latestUnsafePayload', [])).toBe('{"jsonrpc":"2.0","id":1,"result":null}\n');
    const envelope = sampleEnvelope({ transactions: ['0x7e01'] });
    await call('commitUnsafePayload', [envelope]);
    const answer = JSON.parse(await call('latestUnsafePayload', [])) as { result: unknown };
    expect(answer.result).toEqual(envelope);
  });

  it('proposes nothing for a payload that does not decode', async () => {
    expect(await call('commitUnsafePayload', [sampleEnvelope({ gasLimit: 1 })])).toContain('"code":-32602');
    expect(conductor.committed).toEqual([]);
  });

  it('shows members in op-conductor’s shape and order, without other fields', async () => {
    conductor.servers = [{ suffrage: 1, extra: true, addr: 'b:1', id: 'b' } as never];
    expect(await call('leaderWithID', [])).toContain('"result":{"id":"b","addr":"b:1","suffrage":1}}');
    expect(await call('clusterMembership', [])).toContain(
      '"result":{"servers":[{"id":"b","addr":"b:1","suffrage":1}],"version":0}}',
    );
    conductor.servers = null;
    expect(await call('leaderWithID', [])).toContain('"result":{"id":"","addr":"","suffrage":0}}');
    expect(await call('clusterMembership', [])).toContain('"result":{"servers":null,"version":0}}');
  });
});
