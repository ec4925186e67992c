import { describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import type { RequestMessage } from '../core/messages.js';
import { eventually } from '../testing/eventually.js';
import { TransportError } from './errors.js';
import type { Frame } from './frame.js';
import { writeFrameHeaders } from './frame-headers.js';
import { FRAME_TYPE, MESSAGE_PATH } from './peer-lanes.js';
import { bigAppend, layoutOf, reseal, toBytes } from './testing/arbitrary-frames.js';
import { errorOf, nodesOfEachTest } from './testing/nodes-of-each-test.js';
import { agree, CLUSTER, heartbeat, type TransportNode } from './testing/transport-node.js';
import { WIRE_VERSIONS } from './wire-versions.js';

const { start, pair } = nodesOfEachTest();

interface Refusal {
  status: number;
  answer: { code: string; message: string; remedy?: string };
}

const headersFor = ({ incarnation }: TransportNode): string[] =>
  writeFrameHeaders({
    version: WIRE_VERSIONS.newest,
    clusterId: CLUSTER,
    toIncarnation: incarnation,
  });

async function post(node: TransportNode, body: Uint8Array, contentType = FRAME_TYPE): Promise<Refusal> {
  const { statusCode, body: answer } = await request(`http://${node.member.address}${MESSAGE_PATH}`, {
    method: 'POST',
    headers: [...headersFor(node), 'content-type', contentType],
    body,
    reset: true,
  });
  return { status: statusCode, answer: (await answer.json()) as Refusal['answer'] };
}

const SENDER = 'a0'.repeat(16);
const frameFor = (node: TransportNode, change: Partial<Frame> = {}): Frame => ({
  clusterId: CLUSTER,
  from: 'a',
  fromIncarnation: SENDER,
  bootId: 'b0'.repeat(16),
  to: node.id,
  toIncarnation: node.incarnation,
  message: heartbeat(),
  ...change,
});

/** Bytes of a frame in a member's name, from a disk that is not the member's. */
const fromAnotherDisk = (node: TransportNode, message: RequestMessage): Buffer =>
  toBytes(frameFor(node, { fromIncarnation: 'dd'.repeat(16), message }));

describe('messages', () => {
  it('of every kind get the answer that belongs to them', async () => {
    const [a, b] = await pair();
    const requests: RequestMessage[] = [
      { type: 'preVote', term: 2, requestId: 1, lastIndex: 3, lastTerm: 1 },
      { type: 'vote', term: 2, requestId: 2, lastIndex: 3, lastTerm: 1, transferNumber: 1 },
      bigAppend(100, 3),
      { ...heartbeat(), requestId: 4 },
      { type: 'timeoutNow', term: 2, requestId: 5, transferNumber: 1, lastIndex: 3, lastTerm: 1 },
    ];
    const answers = await Promise.all(requests.map((message) => a.transport.send('b', message)));
    expect(answers).toEqual(requests.map(agree));
    expect(b.received.map(({ from }) => from)).toEqual(['a', 'a', 'a', 'a', 'a']);
  });

  it('carry 2 MB to two peers at once, and the bytes arrive unchanged', async () => {
    const [a, b] = await pair();
    const c = await start('c');
    a.transport.setPeers([b.member, c.member]);
    const append = bigAppend(2_000_000);
    await Promise.all([a.transport.send('b', append), a.transport.send('c', append)]);
    for (const peer of [b, c]) {
      const message = peer.received[0]?.message as typeof append;
      expect(message.entries[0]?.data?.length).toBe(2_000_000);
      expect(Buffer.compare(message.entries[0]?.data as Buffer, append.entries[0]?.data as Buffer)).toBe(0);
    }
  });

  it('of the log arrive in its order, even a small one behind a large one', async () => {
    const [a, b] = await pair();
    // The connection exists, so only the sizes race.
    await a.transport.send('b', bigAppend(10, 1));
    for (let round = 0; round < 10; round++) {
      b.received.length = 0;
      await Promise.all([
        a.transport.send('b', bigAppend(2_000_000, 2)),
        a.transport.send('b', bigAppend(10, 3)),
      ]);
      expect(b.received.map(({ message }) => message.requestId)).toEqual([2, 3]);
    }
  });

  it('go only to members', async () => {
    const [a] = await pair();
    expect(await errorOf(a.transport.send('x', heartbeat()))).toMatchObject({ code: 'unknown-peer' });
  });

  it('go nowhere when a member has an invalid address, and others are reached', async () => {
    const [a, b] = await pair();
    for (const address of ['', 'no address', '127.0.0.1:99999', 'host:1/path']) {
      a.transport.setPeers([{ ...b.member, id: 'x', address }, b.member]);
      expect(await errorOf(a.transport.send('x', heartbeat()))).toMatchObject({ code: 'unknown-peer' });
      expect(await errorOf(a.transport.hello(address, AbortSignal.timeout(5000)))).toBeInstanceOf(
        TransportError,
      );
      await a.transport.send('b', heartbeat());
    }
  });

  it('that events overtook are returned at once, not at their deadline', async () => {
    const [a] = await pair({ onRequest: ({ respond }) => respond(null), timeouts: { controlMs: 60_000 } });
    const error = await errorOf(a.transport.send('b', heartbeat()));
    expect(error).toBeInstanceOf(TransportError);
    expect(error.code).toBe('unanswered');
  });

  it('may be answered after their sender has gone', async () => {
    const [a, b] = await pair({ onRequest: () => undefined });
    const outcome = errorOf(a.transport.send('b', heartbeat()));
    await eventually(() => b.received.length === 1, 'the request');
    await a.transport.stop();
    expect(await outcome).toMatchObject({ code: 'unreachable' });
    await eventually(() => b.disconnected.length === 1, 'the disconnection');
    b.received[0]?.respond(agree(b.received[0].message));
    b.received[0]?.respond(null);
  });
});

describe('a frame that is not for this node', () => {
  const notInVain = { code: expect.any(String), message: expect.any(String), remedy: expect.any(String) };

  it.each<[string, number, string, (node: TransportNode) => Uint8Array]>([
    ['of another protocol', 400, 'bad-magic', () => Buffer.alloc(200)],
    ['of another version', 400, 'wrong-version', (node) => altered(node, (bytes) => bytes.writeUInt8(9, 4))],
    ['with too few bytes', 400, 'wrong-length', (node) => toBytes(frameFor(node)).subarray(0, 80)],
    ['with too many bytes', 400, 'wrong-length', (node) => Buffer.concat([toBytes(frameFor(node)), SALT])],
    ['without bytes', 400, 'wrong-length', () => Buffer.alloc(0)],
    ['with a wrong CRC', 400, 'bad-crc', (node) => altered(node, (bytes) => bytes.writeUInt8(0xee, 100))],
    ['with damaged data', 400, 'bad-crc', damagedData],
    [
      'of an unknown type',
      400,
      'malformed',
      (node) => reseal(altered(node, (bytes) => bytes.writeUInt8(77, 5))),
    ],
    [
      'that is an answer',
      400,
      'malformed',
      (node) => toBytes(frameFor(node, { message: agree(heartbeat()) })),
    ],
    ['of another cluster', 409, 'wrong-cluster', (node) => toBytes(frameFor(node, { clusterId: SENDER }))],
    ['for another node', 409, 'wrong-node', (node) => toBytes(frameFor(node, { to: 'z' }))],
    [
      'for another disk',
      409,
      'wrong-incarnation',
      (node) => toBytes(frameFor(node, { toIncarnation: SENDER })),
    ],
    [
      'with a vote request of a transfer from a disk that is not the member',
      409,
      'wrong-incarnation',
      (node) =>
        fromAnotherDisk(node, {
          type: 'vote',
          term: 2,
          requestId: 1,
          transferNumber: 1,
          lastIndex: 3,
          lastTerm: 1,
        }),
    ],
    [
      'with an order from a disk that is not the member',
      409,
      'wrong-incarnation',
      (node) =>
        fromAnotherDisk(node, {
          type: 'timeoutNow',
          term: 2,
          requestId: 1,
          transferNumber: 1,
          lastIndex: 3,
          lastTerm: 1,
        }),
    ],
  ])('%s: HTTP %i, %s', async (_name, status, code, bytesFor) => {
    const node = await start('b');
    node.transport.setPeers([{ id: 'a', address: '127.0.0.1:1', incarnation: SENDER, voter: true }]);
    const refusal = await post(node, bytesFor(node));
    expect(refusal).toMatchObject({ status, answer: { ...notInVain, code } });
    expect(node.received).toEqual([]);
    expect(node.adopted).toEqual([]);
    // And the connection still works for a correct request.
    expect((await post(node, bytesFor(node))).status).toBe(status);
  });

  it('with a body over the limit: HTTP 413', async () => {
    const node = await start('b', { bodyLimitBytes: 1000 });
    const refusal = await post(node, Buffer.alloc(1001));
    expect(refusal).toEqual({ status: 413, answer: { ...notInVain, code: 'too-large' } });
    expect(node.received).toEqual([]);
  });

  it('with another content type: HTTP 415', async () => {
    const node = await start('b');
    const refusal = await post(node, toBytes(frameFor(node)), 'application/octet-stream');
    expect(refusal).toEqual({ status: 415, answer: { ...notInVain, code: 'wrong-content-type' } });
    expect(node.received).toEqual([]);
  });

  it('tells its sender why', async () => {
    const [a, b] = await pair();
    a.transport.setPeers([{ ...b.member, incarnation: SENDER }]);
    const error = await errorOf(a.transport.send('b', heartbeat()));
    expect(error).toMatchObject({ code: 'refused' });
    expect(error.message).toContain('remove the member and add it again');
  });

  const stands = { term: 2, requestId: 1, lastIndex: 3, lastTerm: 1 };
  it.each<[string, RequestMessage]>([
    ['leader', heartbeat()],
    ['candidate that asks for a pre-vote', { type: 'preVote', ...stands }],
    ['candidate', { type: 'vote', transferNumber: 0, ...stands }],
  ])(
    'is accepted from a new disk of the %s, which an old configuration does not know',
    async (_, message) => {
      const node = await start('b');
      node.transport.setPeers([{ id: 'a', address: '127.0.0.1:1', incarnation: SENDER, voter: true }]);
      const { statusCode } = await request(`http://${node.member.address}${MESSAGE_PATH}`, {
        method: 'POST',
        headers: [...headersFor(node), 'content-type', FRAME_TYPE],
        body: fromAnotherDisk(node, message),
        reset: true,
      });
      expect(statusCode).toBe(200);
      expect(node.received).toHaveLength(1);
    },
  );

  it.each<[string, RequestMessage]>([
    ['acknowledgement', bigAppend(10)],
    ['vote', { type: 'vote', transferNumber: 0, ...stands }],
    ['promise', { type: 'preVote', ...stands }],
    ['proof of leadership', heartbeat()],
  ])('is no %s when it comes from another disk than the member’s', async (_, message) => {
    const b: TransportNode = await start('b', {
      onRequest: ({ message: asked, respond }) => {
        // The disk is replaced before it answers.
        Object.assign(b, { incarnation: 'dd'.repeat(16) });
        respond(agree(asked));
      },
    });
    const a = await start('a');
    a.transport.setPeers([b.member]);
    expect(await errorOf(a.transport.send('b', message))).toMatchObject({ code: 'wrong-incarnation' });
  });

  it('is not an answer either', async () => {
    const [a, b] = await pair();
    const impostor = await start('b', {
      incarnation: b.incarnation,
      onRequest: ({ message, respond }) => respond({ ...agree(message), requestId: message.requestId + 1 }),
    });
    a.transport.setPeers([impostor.member]);
    expect(await errorOf(a.transport.send('b', heartbeat()))).toMatchObject({ code: 'malformed' });
    const stranger = await start('x', { incarnation: b.incarnation });
    a.transport.setPeers([{ ...stranger.member, id: 'b' }]);
    expect(await errorOf(a.transport.send('b', heartbeat()))).toMatchObject({ code: 'refused' });
  });
});

const SALT = Buffer.from('salt');

function altered(node: TransportNode, change: (bytes: Buffer) => void): Buffer {
  const bytes = toBytes(frameFor(node));
  change(bytes);
  return bytes;
}

function damagedData(node: TransportNode): Buffer {
  const bytes = toBytes(frameFor(node, { message: bigAppend(100) }));
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  expect(layoutOf(bytes).crcAt).toBeLessThan(bytes.length - 100);
  return bytes;
}

describe('a node without a cluster', () => {
  it('adopts the cluster of the first frame for its disk, and only that', async () => {
    const node = await start('b', { clusterId: null });
    expect((await post(node, toBytes(frameFor(node, { toIncarnation: SENDER })))).status).toBe(409);
    expect((await post(node, toBytes(frameFor(node, { to: 'z' })))).status).toBe(409);
    expect(
      (
        await post(
          node,
          altered(node, (bytes) => bytes.writeUInt8(0xee, 100)),
        )
      ).status,
    ).toBe(400);
    expect(node.adopted).toEqual([]);

    const a = await start('a');
    a.transport.setPeers([node.member]);
    await a.transport.send('b', heartbeat());
    expect(node.adopted).toEqual([CLUSTER]);
    expect((await post(node, toBytes(frameFor(node, { clusterId: SENDER })))).status).toBe(409);
  });

  it('adopts one of two clusters that call at the same time', async () => {
    let adopt: (() => void) | undefined;
    const node = await start('b', {
      clusterId: null,
      adopt: () => new Promise((resolve) => (adopt = resolve)),
    });
    let arrived = 0;
    node.transport['server']['app'].server.on('request', (incoming) => {
      if (incoming.method === 'POST') incoming.once('end', () => (arrived += 1));
    });
    const a = await start('a');
    a.transport.setPeers([node.member]);

    const first = a.transport.send('b', heartbeat());
    await eventually(() => adopt !== undefined, 'the adoption');
    const second = post(node, toBytes(frameFor(node, { clusterId: SENDER })));
    const third = a.transport.send('b', heartbeat());
    await eventually(() => arrived === 3, 'three requests');
    adopt?.();
    await Promise.all([first, third]);
    expect(await second).toMatchObject({ status: 409, answer: { code: 'wrong-cluster' } });
    expect(node.adopted).toEqual([CLUSTER]);
    expect(node.received).toHaveLength(2);
  });

  it('accepts nothing when its disk cannot store the cluster', async () => {
    const node = await start('b', { clusterId: null, adopt: () => Promise.reject(new Error('disk full')) });
    expect(await post(node, toBytes(frameFor(node)))).toEqual({
      status: 500,
      answer: { code: 'internal', message: 'disk full' },
    });
    expect(node.received).toEqual([]);
  });

  it('has nothing to say', async () => {
    const [a, b] = [await start('a', { clusterId: null }), await start('b')];
    a.transport.setPeers([b.member]);
    await expect(a.transport.send('b', heartbeat())).rejects.toThrow('sends nothing');
  });
});
