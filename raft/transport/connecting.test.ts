import net from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/eventually.js';
import { openTcpSocket, type OpenSocket } from './dial.js';
import type { TransportError } from './errors.js';
import { bigAppend } from './testing/arbitrary-frames.js';
import { errorOf, nodesOfEachTest } from './testing/nodes-of-each-test.js';
import { agree, heartbeat, type TransportNode } from './testing/transport-node.js';

const { start } = nodesOfEachTest();

const CONTROL_MS = 150;
const timeouts = { controlMs: CONTROL_MS, bulkMs: CONTROL_MS };

/** The node as a member with a name. */
const named = (node: TransportNode): TransportNode['member'] => ({
  ...node.member,
  address: `node-${node.id}:${node.port}`,
});

const failureOf = async (sent: Promise<unknown>): Promise<unknown> =>
  ((await errorOf(sent)) as TransportError).failure;

/** Sends until an answer comes. */
async function answered(from: TransportNode, to: string): Promise<void> {
  const endMs = performance.now() + 20_000;
  for (;;) {
    const error = await from.transport.send(to, heartbeat()).then(
      () => undefined,
      (reason: Error) => reason,
    );
    if (!error) return;
    if (performance.now() > endMs) throw error;
    await new Promise(setImmediate);
  }
}

describe('connecting', () => {
  it('outlives the requests that wait for it: a slow name server is asked once', async () => {
    let lookUps = 0;
    const b = await start('b');
    const a = await start('a', {
      timeouts,
      lookUp: async () => {
        lookUps += 1;
        await new Promise((resolve) => setTimeout(resolve, 4 * CONTROL_MS));
        return ['127.0.0.1'];
      },
    });
    a.transport.setPeers([named(b)]);
    expect(await failureOf(a.transport.send('b', heartbeat()))).toMatchObject({
      phase: 'connect',
      to: `node-b:${b.port}`,
      lookUp: 'under way',
    });
    await answered(a, 'b');
    // Appends find their connection, too.
    await a.transport.send('b', bigAppend(10));
    expect(lookUps).toBe(1);
  });

  it('continues with the last known addresses when the name server falls silent', async () => {
    let silent = false;
    const b = await start('b');
    const lookUp = (): Promise<string[]> =>
      silent ? new Promise<never>(() => undefined) : Promise.resolve(['127.0.0.1']);
    const a = await start('a', { timeouts: { controlMs: 2000 }, lookUp });
    a.transport.setPeers([named(b)]);
    await a.transport.send('b', heartbeat());
    silent = true;
    await b.transport.stop();
    await errorOf(a.transport.send('b', heartbeat()));
    const back = await start('b', { port: b.port, incarnation: b.incarnation });
    await answered(a, 'b');
    expect(back.received.length).toBeGreaterThan(0);
    expect((await a.transport.hello(`node-b:${b.port}`, AbortSignal.timeout(2000))).nodeId).toBe('b');
  });

  it('finds a peer even if its name also leads to an address that goes nowhere', async () => {
    const b = await start('b');
    const openSocket: OpenSocket = (to) => (to.host === '192.0.2.1' ? new net.Socket() : openTcpSocket(to));
    const a = await start('a', { timeouts, openSocket, lookUp: async () => ['192.0.2.1', '127.0.0.1'] });
    a.transport.setPeers([named(b)]);
    await a.transport.send('b', heartbeat());
  });

  it('leaves an address where another node answers now', async () => {
    const [b, other] = [await start('b'), await start('c')];
    let address = '127.0.0.1';
    const openSocket: OpenSocket = ({ host }) =>
      openTcpSocket({ host: '127.0.0.1', port: host === '127.0.0.1' ? other.port : b.port });
    const a = await start('a', { openSocket, lookUp: async () => [address] });
    a.transport.setPeers([named(b)]);
    expect(await errorOf(a.transport.send('b', heartbeat()))).toMatchObject({ code: 'refused' });
    address = '10.0.0.2';
    await answered(a, 'b');
    expect(b.received.length).toBeGreaterThan(0);
    expect(other.received).toEqual([]);
  });
});

describe('where new connections are lost', () => {
  it('open ones are kept, even after a failed request', async () => {
    let lost = false;
    const openSocket: OpenSocket = (to) => (lost ? new net.Socket() : openTcpSocket(to));
    let deaf = false;
    const b = await start('b', {
      onRequest: ({ message, respond }) => void (deaf || respond(agree(message))),
    });
    const a = await start('a', { timeouts, openSocket });
    a.transport.setPeers([b.member]);
    await a.transport.send('b', heartbeat());
    await a.transport.send('b', bigAppend(10));
    lost = true;
    deaf = true;
    for (const message of [heartbeat(), bigAppend(10)]) {
      expect(await failureOf(a.transport.send('b', message))).toMatchObject({
        phase: 'send',
        to: b.member.address,
        noProgressMs: expect.any(Number),
      });
    }
    deaf = false;
    for (const { message, respond } of b.received) respond(agree(message));
    await a.transport.send('b', heartbeat());
    await a.transport.send('b', bigAppend(10));
    expect(b.disconnected).toEqual([]);
  });

  it('requests to a peer that is silent do not pile up', async () => {
    let connected = 0;
    const openSocket: OpenSocket = (to) =>
      connected === 4 ? new net.Socket() : openTcpSocket(to).once('connect', () => (connected += 1));
    const b = await start('b', { onRequest: () => undefined });
    const a = await start('a', { timeouts, openSocket });
    a.transport.setPeers([b.member]);
    await eventually(() => connected === 4, 'all connections');
    const sent = Array.from({ length: 16 }, () => failureOf(a.transport.send('b', heartbeat())));
    for (const failure of await Promise.all(sent)) expect(failure).toMatchObject({ phase: 'send' });
    const begunMs = performance.now();
    expect(await failureOf(a.transport.send('b', heartbeat()))).toMatchObject({ phase: 'send' });
    // Reported at once, and not sent.
    expect(performance.now() - begunMs).toBeLessThan(CONTROL_MS);
    await eventually(() => b.received.length === 16, 'two connections full of requests');
  });
});

describe('a member that has another address than the cluster has for it', () => {
  it.each<[string, (other: TransportNode) => string]>([
    ['where nobody listens', () => '127.0.0.1:1'],
    ['where another node answers', (other) => other.member.address],
  ])('is reached there, when its own leads %s', async (_name, listed) => {
    const [b, other] = [await start('b'), await start('c')];
    const a = await start('a', { otherAddress: () => b.member.address });
    a.transport.setPeers([{ ...b.member, address: listed(other) }]);
    await answered(a, 'b');
    expect(b.received.length).toBeGreaterThan(0);
    // Its process is looked for at its actual address.
    expect(await a.transport.probe('b')).toBe('alive');
  });

  it('is reached at its own when that is good', async () => {
    const b = await start('b');
    const a = await start('a', { otherAddress: () => '127.0.0.1:1' });
    a.transport.setPeers([b.member]);
    await a.transport.send('b', heartbeat());
  });
});

it('an IPv6 address is listened on, dialled and told in brackets', async () => {
  const [a, b] = [await start('a', { host: '::1' }), await start('b', { host: '::1' })];
  expect(b.member.address).toBe(`[::1]:${b.port}`);
  a.transport.setPeers([b.member]);
  await a.transport.send('b', heartbeat());
  expect((await a.transport.hello(b.member.address, AbortSignal.timeout(5000))).nodeId).toBe('b');
  await b.transport.stop();
  expect(await failureOf(a.transport.send('b', heartbeat()))).toMatchObject({
    to: b.member.address,
    tried: [{ address: '::1', error: 'ECONNREFUSED' }],
  });
});
