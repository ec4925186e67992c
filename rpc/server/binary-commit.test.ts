import net from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { readJsonLines } from '../../common/testing/fixtures.js';
import { decodeEnvelope } from '../payload/decode-envelope.js';
import type { CallReport } from './json-rpc/call-report.js';
import type { HttpServer } from './json-rpc/http-server.js';
import { createRpcServer } from './rpc-server.js';
import { FakeConductor } from './testing/fake-conductor.js';
import { sampleEnvelope } from './testing/sample-envelope.js';
import { sendHttp } from './testing/send-http.js';

const LIMIT = 4_000_000;
const OCTETS = { 'content-type': 'application/octet-stream' };
const good = decodeEnvelope(sampleEnvelope()).ssz;
const large = decodeEnvelope(sampleEnvelope({ transactions: [`0x${'ab'.repeat(20_000)}`] })).ssz;

describe('POST /commit-unsafe-payload', () => {
  const conductor = new FakeConductor(true);
  const follower = new FakeConductor(false);
  const servers: HttpServer[] = [];
  const reports: CallReport[] = [];
  let port = 0;
  let followerPort = 0;

  const serve = async (api: FakeConductor): Promise<number> => {
    const server = createRpcServer({
      api,
      version: 'v1',
      logger: pino({ level: 'silent' }),
      host: '127.0.0.1',
      port: 0,
      bodyLimitBytes: LIMIT,
      onCall: (report) => reports.push(report),
    });
    servers.push(server);
    return (await server.start()).port;
  };
  const post = async (body: Buffer | null, headers: Record<string, string> = OCTETS, to = port) =>
    sendHttp(to, { method: 'POST', path: '/commit-unsafe-payload', headers, body });

  beforeAll(async () => {
    [port, followerPort] = [await serve(conductor), await serve(follower)];
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop(100)));
  });

  it.each([['application/octet-stream'], ['Application/Octet-Stream; x=y'], [''], [undefined]])(
    'commits the bytes unchanged, with content type %j',
    async (contentType) => {
      conductor.committed.length = 0;
      reports.length = 0;
      const answer = await post(good, contentType === undefined ? {} : { 'content-type': contentType });
      expect(answer).toMatchObject({ status: 200, contentType: null, body: '' });
      expect(conductor.committed).toHaveLength(1);
      expect(conductor.committed[0]!.ssz.equals(good)).toBe(true);
      expect(conductor.committed[0]!.ref).toMatchObject({ number: 1, timestamp: 5 });
      expect(reports).toEqual([
        {
          method: 'commit-unsafe-payload',
          durationMs: expect.any(Number),
          decodeMs: expect.any(Number),
          paramsBytes: good.length,
          resultBytes: 0,
        },
      ]);
    },
  );

  it('leaves room before the payload, so that the log need not copy it', async () => {
    conductor.committed.length = 0;
    await post(large);
    const { ssz, headroomBytes } = conductor.committed[0]!;
    expect(ssz.equals(large)).toBe(true);
    expect(headroomBytes).toBe(64);
    expect([ssz.byteOffset, ssz.buffer.byteLength]).toEqual([64, 64 + large.length]);
  });

  it('takes a body without a length', async () => {
    conductor.committed.length = 0;
    const socket = net.connect(port, '127.0.0.1');
    socket.write('POST /commit-unsafe-payload HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    socket.write(`${large.length.toString(16)}\r\n`);
    socket.write(large);
    socket.write('\r\n0\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(conductor.committed.map(({ ssz }) => ssz.equals(large))).toEqual([true]);
    // It was read into more memory than it needs, which the log must not keep.
    expect(conductor.committed[0]).not.toHaveProperty('headroomBytes');
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'empty payload'],
    ['no body', null, 'empty payload'],
    ['too little', good.subarray(0, 300), 'invalid payload: executionPayload: the envelope has 300 bytes'],
    [
      'too much',
      Buffer.concat([good, Buffer.from([0])]),
      'invalid payload: executionPayload.withdrawals: 1 bytes found',
    ],
    [
      'JSON',
      Buffer.from(JSON.stringify(sampleEnvelope())),
      'invalid payload: executionPayload.extraData: offset',
    ],
  ])('refuses %s with 400 and changes nothing', async (_name, body, text) => {
    conductor.committed.length = 0;
    const { status, contentType, body: answer } = await post(body);
    expect([status, contentType]).toEqual([400, 'text/plain; charset=utf-8']);
    expect(answer.startsWith(text)).toBe(true);
    expect(answer.endsWith('\n')).toBe(true);
    expect(conductor.committed).toEqual([]);
  });

  it('answers 500 with the error of the conductor', async () => {
    reports.length = 0;
    const answer = await post(good, OCTETS, followerPort);
    expect(answer).toMatchObject({
      status: 500,
      body: 'failed to apply payload envelope: node is not the leader\n',
    });
    expect(reports[0]?.error?.reason).toBe('not-leader');
  });

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const answer = await sendHttp(port, {
      method,
      path: '/commit-unsafe-payload',
      headers: OCTETS,
      body: method === 'GET' || method === 'HEAD' ? null : good,
    });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
    if (method !== 'HEAD') expect(answer.body).toBe('method not allowed\n');
  });

  it('refuses other content types', async () => {
    expect(await post(good, { 'content-type': 'application/json' })).toMatchObject({
      status: 415,
      body: 'unsupported content-type "application/json", want application/octet-stream\n',
    });
  });

  it('refuses bodies over the limit, announced or not', async () => {
    const text = `payload too large: the limit is ${LIMIT} bytes\n`;
    expect(await post(Buffer.alloc(LIMIT + 1))).toMatchObject({ status: 413, body: text });
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST /commit-unsafe-payload HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    socket.write(`${(LIMIT + 1).toString(16)}\r\n`);
    socket.write(Buffer.alloc(LIMIT + 1));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString()).toContain('413');
    expect(answer.toString()).toContain(text);
  });

  describe('real bodies', () => {
    it.each(['granite', 'jovian'])('of %s are committed byte for byte', async (stream) => {
      conductor.committed.length = 0;
      const lines = readJsonLines<{ ssz: string; block: { hash: string } }>(
        `payloads/${stream}.ssz.jsonl.gz`,
      );
      expect(lines.length).toBeGreaterThan(20);
      for (const { ssz, block } of lines) {
        const bytes = Buffer.from(ssz.replace(/^0x/, ''), 'hex');
        expect(await post(bytes)).toMatchObject({ status: 200, body: '' });
        const committed = conductor.committed.pop();
        expect(committed?.ref.hash).toBe(block.hash);
        expect(committed?.ssz.equals(bytes)).toBe(true);
      }
    });
  });
});
