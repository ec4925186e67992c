import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ResponseMessage } from '../core/messages.js';
import { wireProblem } from './hello.js';
import { bigAppend, toBytes } from './testing/arbitrary-frames.js';
import { eventually } from '../testing/eventually.js';
import { agree, CLUSTER, heartbeat, requestHead, TransportNode } from './testing/transport-node.js';
import type { TransportNodeOptions } from './testing/transport-node.js';

const OTHER = 'd0'.repeat(16);
const MB = 1_000_000;
const closers: (() => unknown)[] = [];

async function start(id: string, options?: TransportNodeOptions): Promise<TransportNode> {
  const node = await new TransportNode(id, options).start();
  closers.push(() => node.transport.stop());
  return node;
}

/** A connection on which the test itself speaks. */
async function connect(to: TransportNode): Promise<net.Socket> {
  const socket = net.connect(to.port, '127.0.0.1');
  closers.push(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The answer to the bytes sent so far; nothing more is sent. */
async function answerOf(socket: net.Socket): Promise<{ status: number; code: string }> {
  let text = '';
  socket.on('data', (data: Buffer) => void (text += data.toString()));
  await eventually(() => text.includes('}'), 'an answer');
  const body = JSON.parse(text.slice(text.indexOf('{'))) as { code: string };
  return { status: Number(text.split(' ')[1]), code: body.code };
}

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe('a request is refused by its headers, before its body is sent', () => {
  it.each<[string, number, string, Record<string, string | number | undefined>]>([
    ['of another cluster', 409, 'wrong-cluster', { 'x-baton-cluster': OTHER }],
    ['for another disk', 409, 'wrong-incarnation', { 'x-baton-disk': OTHER }],
    ['of a later wire version', 400, 'wrong-version', { 'x-baton-wire': 99 }],
    ['of a version that is no number', 400, 'wrong-version', { 'x-baton-wire': 'three' }],
    ['of another program', 400, 'bad-magic', { 'x-baton-cluster': undefined }],
    [
      'of unknown length',
      400,
      'wrong-length',
      { 'content-length': undefined, 'transfer-encoding': 'chunked' },
    ],
    ['over the limit', 413, 'too-large', { 'content-length': 8 * MB + 1 }],
  ])('%s', async (_name, status, code, changes) => {
    const node = await start('b', { bodyLimitBytes: 8 * MB });
    const socket = await connect(node);
    socket.write(requestHead(node, { 'content-length': 5 * MB, ...changes }));
    expect(await answerOf(socket)).toEqual({ status, code });
    expect(node.received).toEqual([]);
  });

  it('by a node without a cluster only for another disk', async () => {
    const node = await start('b', { clusterId: null });
    const socket = await connect(node);
    socket.write(requestHead(node, { 'content-length': 100, 'x-baton-disk': OTHER }));
    expect(await answerOf(socket)).toEqual({ status: 409, code: 'wrong-incarnation' });
    const frame = toBytes({
      clusterId: CLUSTER,
      from: 'a',
      fromIncarnation: OTHER,
      bootId: OTHER,
      to: 'b',
      toIncarnation: node.incarnation,
      message: heartbeat(),
    });
    const other = await connect(node);
    other.write(requestHead(node, { 'content-length': frame.length }));
    other.write(frame);
    await eventually(() => node.received.length === 1, 'the message');
    expect(node.adopted).toEqual([CLUSTER]);
  });
});

describe('a frame of a cluster that the node does not belong to', () => {
  it.each<[string, string | null, Record<string, string | number>]>([
    ['for the disk that was here before, while the node has no cluster', null, { 'x-baton-disk': OTHER }],
    ['for a member of another cluster', OTHER, {}],
    ['in a version that the node does not speak', null, { 'x-baton-disk': OTHER, 'x-baton-wire': 99 }],
  ])('is told, with its cluster: %s', async (_, clusterId, changes) => {
    const node = await start('b', { clusterId });
    const socket = await connect(node);
    socket.write(requestHead(node, { 'content-length': 100, ...changes }));
    await answerOf(socket);
    expect(node.strays).toEqual([CLUSTER]);
    expect({ adopted: node.adopted, received: node.received }).toEqual({ adopted: [], received: [] });
  });

  it('is not one that admits the node, nor one of its own cluster for an earlier disk of the node', async () => {
    const [a, b] = [await start('a'), await start('b', { clusterId: null })];
    a.transport.setPeers([b.member]);
    await a.transport.send('b', heartbeat());
    expect(b.adopted).toEqual([CLUSTER]);
    const socket = await connect(b);
    socket.write(requestHead(b, { 'content-length': 100, 'x-baton-disk': OTHER }));
    expect(await answerOf(socket)).toEqual({ status: 409, code: 'wrong-incarnation' });
    expect(b.strays).toEqual([]);
  });
});

describe('bodies that come slowly', () => {
  it('hold no more than their budget, and frames of a peer get through', async () => {
    const bodyLimitBytes = 4 * MB;
    const [a, b] = [await start('a'), await start('b', { bodyLimitBytes })];
    a.transport.setPeers([b.member]);
    const part = Buffer.alloc(3 * MB);
    const attackers: net.Socket[] = [];
    let closed = 0;
    for (let count = 0; count < 24; count++) {
      const socket = await connect(b);
      socket.once('close', () => (closed += 1));
      socket.write(requestHead(b, { 'content-length': bodyLimitBytes }));
      await new Promise((resolve) => socket.write(part, resolve));
      attackers.push(socket);
      // 16 MB are allowed: three attackers with four each, and the frame.
      expect(await a.transport.send('b', bigAppend(2 * MB, count))).toMatchObject({ requestId: count });
    }
    await eventually(() => closed >= 20, 'attackers to be cut off');
    expect(b.received).toHaveLength(24);
    expect(b.transport['server']['bodies']['held']).toBeLessThanOrEqual(4 * bodyLimitBytes);
    for (const socket of attackers) socket.destroy();
    await eventually(() => b.transport['server']['bodies']['held'] === 0, 'all to be released');
  });

  it('count until they are answered', async () => {
    // Of a release that sends large entries whole.
    const wireVersions = { oldest: 4, newest: 4 };
    const a = await start('a', { wireVersions });
    const b = await start('b', { wireVersions, onRequest: () => undefined });
    a.transport.setPeers([b.member]);
    const outcome = a.transport.send('b', bigAppend(MB)).catch(() => undefined);
    await eventually(() => b.received.length === 1, 'the message');
    expect(b.transport['server']['bodies']['held']).toBeGreaterThan(MB);
    b.received[0]?.respond(agree(b.received[0].message));
    await outcome;
    await eventually(() => b.transport['server']['bodies']['held'] === 0, 'the release');
  });

  it('of a byte at a time make no room beyond what was announced', async () => {
    const b = await start('b');
    const socket = await connect(b);
    socket.write(requestHead(b, { 'content-length': 100_000 }));
    for (let count = 0; count < 200; count++) {
      socket.write(Buffer.of(7));
      await new Promise(setImmediate);
    }
    await eventually(() => b.transport['server']['bodies']['held'] > 0, 'the first bytes');
    expect(b.transport['server']['bodies']['held']).toBeLessThanOrEqual(100_000);
  });
});

describe('connections of strangers', () => {
  it('make room for a peer, whose own stay open', async () => {
    const [a, b] = [await start('a'), await start('b')];
    a.transport.setPeers([b.member]);
    await a.transport.send('b', heartbeat());
    let ended = 0;
    for (let count = 0; count < 600; count++) {
      (await connect(b)).once('close', () => (ended += 1));
      await new Promise(setImmediate);
    }
    await eventually(() => ended >= 600 - 256, 'the oldest to be ended');
    const late = await start('c');
    late.transport.setPeers([b.member]);
    await late.transport.send('b', heartbeat());
    await a.transport.send('b', heartbeat());
    expect(b.received).toHaveLength(3);
    expect(b.disconnected).toEqual([]);
    expect(ended).toBeLessThan(600);
  });
});

describe('wire versions', () => {
  const pair = async (
    of: TransportNodeOptions['wireVersions'],
    and: TransportNodeOptions['wireVersions'],
  ): Promise<[TransportNode, TransportNode]> => {
    const [a, b] = [
      await start('a', of ? { wireVersions: of } : {}),
      await start('b', and ? { wireVersions: and } : {}),
    ];
    a.transport.setPeers([b.member]);
    b.transport.setPeers([a.member]);
    return [a, b];
  };
  const send = (from: TransportNode, to: string): Promise<ResponseMessage | string> =>
    from.transport.send(to, heartbeat()).catch((error: Error) => error.message);

  it('of neighbouring releases find a common one: one message is lost', async () => {
    const [older, newer] = await pair({ oldest: 3, newest: 4 }, { oldest: 4, newest: 5 });
    expect(await send(newer, 'a')).toContain('wire version 5, this node speaks 3 to 4');
    for (let count = 0; count < 3; count++) expect(await send(newer, 'a')).toMatchObject({ term: 1 });
    for (let count = 0; count < 3; count++) expect(await send(older, 'b')).toMatchObject({ term: 1 });
  });

  it('rise when the peer was upgraded', async () => {
    const [older, newer] = await pair({ oldest: 3, newest: 4 }, { oldest: 4, newest: 5 });
    await send(newer, 'a');
    await older.transport.stop();
    const upgraded = await start('a', {
      port: older.port,
      incarnation: older.incarnation,
      wireVersions: { oldest: 4, newest: 5 },
    });
    upgraded.transport.setPeers([newer.member]);
    expect(newer.transport['processes']['speaks'].get('a')).toBe(4);
    expect(await send(upgraded, 'b')).toMatchObject({ term: 1 });
    expect(newer.transport['processes']['speaks'].get('a') ?? 5).toBe(5);
    expect(await send(newer, 'a')).toMatchObject({ term: 1 });
  });

  it('without a common one: every message is refused with the remedy', async () => {
    const [a, b] = await pair({ oldest: 3, newest: 3 }, { oldest: 5, newest: 6 });
    for (let count = 0; count < 2; count++) {
      expect(await send(a, 'b')).toContain('wire version 3, this node speaks 5 to 6');
      expect(await send(b, 'a')).toContain('upgrade the older of the two nodes, one release at a time');
    }
    expect([a.received, b.received]).toEqual([[], []]);
  });

  it('are part of what a node says about itself', async () => {
    const [a] = await pair({ oldest: 3, newest: 4 }, undefined);
    const hello = await a.transport.hello(a.member.address, AbortSignal.timeout(5000));
    expect(hello).toMatchObject({ wireVersion: 4, oldestWireVersion: 3 });
    expect(wireProblem(hello, { oldest: 4, newest: 5 })).toBeUndefined();
    expect(wireProblem(hello, { oldest: 5, newest: 6 })).toContain(
      'a speaks wire version 3 to 4, this node 5 to 6: upgrade the older',
    );
    expect(wireProblem({ ...hello, oldestWireVersion: undefined as never })).toContain('upgrade the older');
  });
});
