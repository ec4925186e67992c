import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { MIB } from '../../common/bytes.js';
import { Listener } from './testing/listener.js';
import { listen, startStream, until } from './testing/start-proxy.js';

describe('clients', () => {
  it('that do not read are cut off, and others miss nothing', async () => {
    const { upstream, port, observer } = await startStream({ clientLimits: { unsentBytes: MIB } });
    const [slow, quick] = await Promise.all([listen(port), listen(port)]);
    slow.socket.pause();
    const filler = 'x'.repeat(2 ** 19);
    let sent = 0;
    while (observer.cuts.length === 0) {
      upstream.send(`${sent++} ${filler}`);
      await until(() => quick.frames.length === sent);
    }
    upstream.send('after');
    await until(() => quick.frames.length === sent + 1);
    expect(observer.cuts).toEqual(['slow']);
    expect(quick.texts.slice(0, -1).map((text) => parseInt(text, 10))).toEqual([...Array(sent).keys()]);
    expect(observer.clients).toBe(1);
    slow.socket.resume();
    await until(() => slow.closed !== undefined);
  });

  it('that accept nothing for a while are cut off before their queue is full', async () => {
    const { upstream, port, observer } = await startStream({ clientLimits: { writeTimeoutMs: 50 } });
    const slow = await listen(port);
    slow.socket.pause();
    await until(
      () => observer.cuts.length > 0,
      () => upstream.send('x'.repeat(MIB)),
    );
    expect(observer.cuts).toEqual(['slow']);
  });

  it('that only listen stay connected, and those that answer no pings do not', async () => {
    const { upstream, port, observer } = await startStream({
      // Long enough that a busy machine answers in time.
      clientLimits: { pingIntervalMs: 600, pongTimeoutMs: 500 },
    });
    const [idle, silent] = await Promise.all([listen(port), listen(port, { autoPong: false })]);
    await until(() => silent.closed !== undefined);
    let pings = 0;
    idle.socket.on('ping', () => pings++);
    await until(() => pings >= 2);
    upstream.send('still there');
    await until(() => idle.frames.length === 1);
    expect(observer.cuts).toEqual(['silent']);
  });

  it('get answers to their pings, and may send anything', async () => {
    const { upstream, port } = await startStream();
    const client = await listen(port);
    client.socket.send('subscribe');
    client.socket.send(randomBytes(1000));
    client.socket.ping('hello');
    const [answer] = (await once(client.socket, 'pong')) as [Buffer];
    expect(answer.toString()).toBe('hello');
    upstream.send('frame');
    await until(() => client.frames.length === 1);
  });

  it('that send long messages or garbage are cut off alone', async () => {
    const { upstream, port, observer } = await startStream();
    const [long, garbage, good] = await Promise.all([listen(port), listen(port), listen(port)]);
    long.socket.send(Buffer.alloc(40_000));
    (garbage.socket as unknown as { _socket: net.Socket })._socket.write(Buffer.alloc(64, 0xff));
    await until(() => long.closed !== undefined && garbage.closed !== undefined);
    expect([long.closed?.code, garbage.closed?.code]).toEqual([1009, 1002]);
    upstream.send('frame');
    await until(() => good.frames.length === 1);
    expect(observer.cuts).toEqual(['error', 'error']);
  });

  it('are told when the proxy stops, and cannot delay it', async () => {
    const { proxy, port } = await startStream();
    const [polite, deaf] = await Promise.all([listen(port), listen(port)]);
    deaf.socket.pause();
    const idle = net.connect(port, '127.0.0.1').on('error', () => undefined);
    await once(idle, 'connect');
    const idleClosed = once(idle.resume(), 'close');
    await proxy.stop(100);
    await until(() => polite.closed !== undefined);
    expect(polite.closed).toEqual({ code: 1000, reason: 'client closed' });
    await idleClosed;
    await expect(Listener.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('that send too much are not read for a while, and still get their frames', async () => {
    const { upstream, port, observer } = await startStream({ clientLimits: { readBytesPerSecond: 1 } });
    const [talker, good] = await Promise.all([listen(port), listen(port)]);
    const pong = (): Promise<unknown> => once(talker.socket, 'pong');
    talker.socket.send('x'.repeat(1000));
    talker.socket.ping('in the same packet');
    await pong();
    let heard = false;
    void pong().then(() => (heard = true));
    talker.socket.ping();
    upstream.send('frame');
    await until(() => good.frames.length === 1 && talker.frames.length === 1);
    for (let i = 0; i < 5; i++) {
      upstream.send('frame');
      await until(() => good.frames.length === 2 + i && talker.frames.length === 2 + i);
    }
    expect([heard, observer.cuts]).toEqual([false, []]);
  });

  it('get identical bytes, compressed once for all that agreed on it', async () => {
    const { upstream, port } = await startStream({ compression: true });
    const clients = await Promise.all(
      [true, true, false, false].map((perMessageDeflate) => listen(port, { perMessageDeflate })),
    );
    const write = jest.spyOn(net.Socket.prototype, 'write');
    try {
      upstream.send(Buffer.alloc(5000));
      await until(() => clients.every(({ frames }) => frames.length === 1));
      const written = write.mock.calls.map(([bytes]) => bytes as unknown as Buffer);
      const plain = written.filter(({ length }) => length > 5000);
      const compressed = written.filter(({ length }) => length > 10 && length < 100);
      // The first of the large ones is the upstream's own.
      expect([new Set(plain.slice(-2)).size, new Set(compressed).size, compressed.length]).toEqual([1, 1, 2]);
    } finally {
      write.mockRestore();
    }
  });

  it.each([true, false])('get frames of every length, compressed=%s', async (perMessageDeflate) => {
    const { upstream, port } = await startStream({ compression: true });
    const client = await listen(port, { perMessageDeflate });
    expect(client.socket.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '');
    const lengths = [0, 1, 125, 126, 1023, 1024, 65_535, 65_536, 3_000_000];
    const sent = lengths.flatMap((length) => [randomBytes(length), 'é'.repeat(length / 2)]);
    for (const frame of sent) upstream.send(frame);
    await until(() => client.frames.length === sent.length);
    for (const [at, { data, binary }] of client.frames.entries()) {
      expect(binary).toBe(typeof sent[at] !== 'string');
      expect(data.equals(Buffer.from(sent[at] as string))).toBe(true);
    }
  });

  it('that want a smaller window than ours get plain frames', async () => {
    const { upstream, port } = await startStream({ compression: true });
    const client = await listen(port, { perMessageDeflate: { serverMaxWindowBits: 9 } });
    const connection = (client.socket as unknown as { _socket: net.Socket })._socket;
    const before = connection.bytesRead;
    upstream.send('x'.repeat(5000));
    await until(() => client.frames.length === 1);
    expect(client.texts).toEqual(['x'.repeat(5000)]);
    expect(connection.bytesRead - before).toBeGreaterThan(5000);
  });

  it('get compressed frames where that is enabled and they ask for it', async () => {
    const text = JSON.stringify({ transactions: Array<string>(5000).fill('0x00') });
    for (const compression of [false, true]) {
      const { upstream, port } = await startStream({ compression });
      const [plain, squeezed] = await Promise.all([
        listen(port, { perMessageDeflate: false }),
        listen(port, { perMessageDeflate: true }),
      ]);
      upstream.send(text);
      await until(() => plain.frames.length === 1 && squeezed.frames.length === 1);
      expect([plain.texts, squeezed.texts]).toEqual([[text], [text]]);
      const read = ({ socket }: Listener): number =>
        (socket as unknown as { _socket: net.Socket })._socket.bytesRead;
      expect(read(squeezed) < read(plain) / 5).toBe(compression);
    }
  });
});
