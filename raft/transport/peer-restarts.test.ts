import { describe, expect, it } from '@jest/globals';
import type { RequestMessage } from '../core/messages.js';
import { eventually } from '../testing/eventually.js';
import { bigAppend } from './testing/arbitrary-frames.js';
import { errorOf, nodesOfEachTest } from './testing/nodes-of-each-test.js';
import { heartbeat } from './testing/transport-node.js';
import { WIRE_VERSIONS } from './wire-versions.js';

const { start, pair } = nodesOfEachTest();

describe('evidence of death', () => {
  it('reports a peer whose heartbeats came over a connection that closed', async () => {
    const [a, b] = await pair();
    await b.transport.send('a', bigAppend(10));
    await a.transport.send('b', heartbeat());
    await a.transport.stop();
    await eventually(() => b.disconnected.length > 0, 'the disconnection');
    expect(b.disconnected).toEqual(['a']);
    expect(a.disconnected).toEqual([]);
  });

  it('finds a peer alive, gone, or cannot tell', async () => {
    const [a, b] = await pair();
    expect(await a.transport.probe('nobody')).toBe('unknown');
    expect(await a.transport.probe('b')).toBe('unknown');
    await a.transport.send('b', heartbeat());
    expect(await a.transport.probe('b')).toBe('alive');
    await b.transport.stop();
    expect(await a.transport.probe('b')).toBe('gone');
  });

  it('finds a peer gone when another process answers in its place', async () => {
    const [a, b] = await pair();
    await a.transport.send('b', heartbeat());
    await b.transport.stop();
    await start('b', { port: b.port, incarnation: b.incarnation });
    expect(await a.transport.probe('b')).toBe('gone');
  });

  it('reports each new process that speaks for a peer, by request or answer, once', async () => {
    const [a, b] = await pair();
    await b.transport.send('a', heartbeat());
    await a.transport.send('b', heartbeat());
    expect([a.restarted, b.restarted]).toEqual([[], []]);
    await b.transport.stop();
    const again = await start('b', { port: b.port, incarnation: b.incarnation });
    again.transport.setPeers([a.member]);
    await again.transport.send('a', heartbeat());
    await a.transport.send('b', heartbeat());
    expect(a.restarted).toEqual(['b']);
    // A message of the dead process comes late.
    const standing = (boot: string) => a.transport['identities'].standing(b.member, boot, 'answer');
    expect(await standing(b.transport['bootId'])).toBe('used-twice');
    expect(await standing(again.transport['bootId'])).toBe('counts');
    expect([a.restarted, a.usedTwice]).toEqual([['b'], []]);
  });

  it('asks any address who is there', async () => {
    const [a, b] = await pair();
    const signal = AbortSignal.timeout(5000);
    const { id: nodeId, clusterId, incarnation } = b;
    expect(await a.transport.hello(b.member.address, signal)).toMatchObject({
      nodeId,
      clusterId,
      incarnation,
      wireVersion: WIRE_VERSIONS.newest,
      oldestWireVersion: WIRE_VERSIONS.oldest,
      greeting: 'I am b',
    });
    await b.transport.stop();
    expect(await errorOf(a.transport.hello(b.member.address, signal))).toMatchObject({ code: 'unreachable' });
  });
});

describe('a copy of a peer’s disk that is started elsewhere', () => {
  it('does not count, and raises an alarm while the peer lives', async () => {
    const [a, b] = await pair();
    await b.transport.send('a', heartbeat());
    const copy = await start('b', { incarnation: b.incarnation });
    copy.transport.setPeers([a.member]);
    const refusal = await errorOf(copy.transport.send('a', heartbeat()));
    expect(refusal).toMatchObject({ code: 'refused', refusal: { code: 'identity-used-twice' } });
    expect(refusal.message).toContain('stop the other one and move its directory away');
    expect(a.usedTwice).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 1050));
    expect(await errorOf(copy.transport.send('a', heartbeat()))).toMatchObject({ code: 'refused' });
    expect(a.usedTwice).toEqual(['b']);
    await b.transport.send('a', heartbeat());
    await a.transport.send('b', heartbeat());
    expect(a.received).toHaveLength(2);
    expect(a.restarted).toEqual([]);
    expect(await a.transport.probe('b')).toBe('alive');
  });

  it('does not count when it speaks first to a node that has just started', async () => {
    const [a, b] = await pair();
    const copy = await start('b', { incarnation: b.incarnation });
    copy.transport.setPeers([a.member]);
    expect(await errorOf(copy.transport.send('a', heartbeat()))).toMatchObject({ code: 'refused' });
    expect(a.received).toEqual([]);
    await b.transport.send('a', heartbeat());
    expect(a.restarted).toEqual([]);
  });

  it('does not count while the peer is gone, until the address is its own', async () => {
    const [a, b] = await pair();
    await b.transport.send('a', heartbeat());
    await b.transport.stop();
    const moved = await start('b', { incarnation: b.incarnation });
    moved.transport.setPeers([a.member]);
    const refusal = await errorOf(moved.transport.send('a', heartbeat()));
    expect(refusal).toMatchObject({ code: 'refused', refusal: { code: 'identity-unproven' } });
    expect(refusal.message).toContain('if the member has moved, tell the cluster its new address');
    a.transport.setPeers([moved.member]);
    // The process that answers there is the peer.
    await a.transport.send('b', heartbeat());
    await moved.transport.send('a', heartbeat());
    expect([a.restarted, a.usedTwice]).toEqual([['b'], []]);
  });
});

describe('a peer that restarts on its port', () => {
  it('is reached again, on every lane', async () => {
    const [a, b] = await pair();
    const messages = (): RequestMessage[] => [heartbeat(), bigAppend(10)];
    for (const message of messages()) await a.transport.send('b', message);
    await b.transport.stop();
    for (const message of messages()) {
      expect(await errorOf(a.transport.send('b', message))).toMatchObject({ code: 'unreachable' });
    }
    const again = await start('b', { port: b.port, incarnation: b.incarnation });
    for (const message of messages()) await a.transport.send('b', message);
    expect(again.received).toHaveLength(2);
  });

  it('is reached even if its old connections died unnoticed', async () => {
    const [a, b] = await pair();
    await a.transport.send('b', heartbeat());
    await a.transport.send('b', bigAppend(2_000_000));
    await b.transport.stop();
    const again = await start('b', { port: b.port, incarnation: b.incarnation });
    // No turn of the event loop lies between: the client writes to connections that are closed already.
    await Promise.all([a.transport.send('b', heartbeat()), a.transport.send('b', bigAppend(2_000_000))]);
    expect(again.received).toHaveLength(2);
  });

  it('is reached at its new address after a change of members', async () => {
    const [a, b] = await pair();
    await a.transport.send('b', heartbeat());
    await b.transport.stop();
    const moved = await start('b', { incarnation: b.incarnation });
    a.transport.setPeers([moved.member]);
    await a.transport.send('b', heartbeat());
    expect(moved.received).toHaveLength(1);
  });
});

describe('stop', () => {
  it('ends requests of both sides that nobody answered, at once', async () => {
    const [a, b] = await pair({ onRequest: () => undefined });
    const outcomes = [heartbeat(), bigAppend(2_000_000)].map((message) =>
      errorOf(a.transport.send('b', message)),
    );
    await eventually(() => b.received.length === 2, 'both requests');
    const begun = performance.now();
    await Promise.all([a.transport.stop(), b.transport.stop()]);
    expect(performance.now() - begun).toBeLessThan(3000);
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ code: 'unreachable' });
    expect(await errorOf(a.transport.send('b', heartbeat()))).toMatchObject({ code: 'unknown-peer' });
  });

  it('leaves no socket and no server open', async () => {
    const before = openHandles();
    const [a, b] = await pair();
    await a.transport.send('b', heartbeat());
    await b.transport.send('a', bigAppend(200_000));
    await a.transport.probe('b');
    expect(openHandles().length).toBeGreaterThan(before.length);
    await Promise.all([a.transport.stop(), b.transport.stop()]);
    await eventually(() => openHandles().length <= before.length, 'the last handle');
  });
});

const openHandles = (): string[] =>
  process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name));
