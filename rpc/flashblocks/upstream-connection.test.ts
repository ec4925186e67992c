import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { MIB } from '../../common/bytes.js';
import { cleanUps, listen, startProxy, startStream, startUpstream, until } from './testing/start-proxy.js';

describe('the upstream', () => {
  const upstreamTimes = { firstRetryMs: 5, lastRetryMs: 20, dialTimeoutMs: 100 };

  it('may be absent, come, go and come back; each change is logged once', async () => {
    const first = await startUpstream();
    const { port: upstreamPort, url } = first;
    await first.stop();
    const { port, observer, log } = await startProxy({ upstreamUrl: url, upstreamTimes });
    const client = await listen(port);
    await until(() => observer.attempts.length >= 4);
    for (let round = 0; round < 3; round++) {
      const upstream = await startUpstream(upstreamPort);
      await until(() => observer.connected);
      await until(
        () => client.texts.includes(`frame ${round}`),
        () => upstream.send(`frame ${round}`),
      );
      const attempts = observer.attempts.length;
      await upstream.stop();
      await until(() => !observer.connected && observer.attempts.length >= attempts + 2);
    }
    expect(client.closed).toBeUndefined();
    expect(observer.attempts.filter(Boolean)).toHaveLength(3);
    const [lost, connected] = ['flashblocks upstream lost; retrying', 'flashblocks upstream connected'];
    expect(log.map(({ msg }) => msg)).toEqual([lost, connected, lost, connected, lost, connected, lost]);
  });

  it('gets the user name and password of its URL, and the log has neither', async () => {
    const asked: (string | undefined)[] = [];
    const upstream = await startUpstream(0, {
      verifyClient: ({ req }: { req: IncomingMessage }) => {
        asked.push(req.headers.authorization);
        return asked.length > 1;
      },
    });
    const url = `${upstream.url.replace('//', '//user:s3cret%21@')}?key=s3cret`;
    const { observer, log } = await startProxy({ upstreamUrl: url, upstreamTimes });
    await until(() => observer.connected);
    const sent = `Basic ${Buffer.from('user:s3cret!').toString('base64')}`;
    expect(asked).toEqual([sent, sent]);
    expect(log).toEqual([
      expect.objectContaining({ url: upstream.url, reason: 'Unexpected server response: 401' }),
      expect.objectContaining({ url: upstream.url }),
    ]);
    expect(JSON.stringify(log)).not.toContain('s3cret');
  });

  it('is not called faster and faster when it closes every connection at once', async () => {
    const upstream = await startUpstream();
    const { observer } = await startProxy({
      upstreamUrl: upstream.url,
      upstreamTimes: { firstRetryMs: 1, lastRetryMs: 100_000 },
    });
    const times: number[] = [];
    while (times.length < 8) {
      const connection = await upstream.nextConnection();
      times.push(performance.now());
      connection.close();
    }
    expect(times[7]! - times[6]!).toBeGreaterThan(times[2]! - times[1]!);
    expect(observer.attempts.every(Boolean)).toBe(true);
  });

  it('must answer in time', async () => {
    const silent = net.createServer((socket) => socket.on('error', () => undefined).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanUps.push(() => void silent.close());
    const { port } = silent.address() as net.AddressInfo;
    const { observer, log } = await startProxy({ upstreamUrl: `ws://127.0.0.1:${port}`, upstreamTimes });
    await until(() => observer.attempts.length >= 3);
    expect(observer.attempts.slice(0, 3)).toEqual([false, false, false]);
    expect(log).toEqual([expect.objectContaining({ reason: 'no connection within 100 ms' })]);
  });

  it.each([
    ['answers no pings', false],
    ['answers pings', true],
  ])('that sends nothing and %s: kept=%s', async (_what, autoPong) => {
    const upstream = await startUpstream(0, { autoPong });
    const { observer } = await startProxy({
      upstreamUrl: upstream.url,
      upstreamTimes: { ...upstreamTimes, pingIntervalMs: 20, readTimeoutMs: 60 },
    });
    const connection = await upstream.nextConnection();
    if (!autoPong) return void (await once(connection, 'close'));
    let pings = 0;
    connection.on('ping', () => pings++);
    await until(() => pings > 10);
    expect(observer.attempts).toEqual([true]);
  });

  it('that sends invalid text, or an oversized frame, is reconnected', async () => {
    const { upstream, observer, flowing } = await startStream({ upstreamTimes });
    for (const frame of [Buffer.from([0xff, 0xfe]), Buffer.alloc(11 * MIB)]) {
      const attempts = observer.attempts.length;
      for (const connection of upstream.connections) connection.send(frame, { binary: frame.length > 2 });
      await until(() => observer.attempts.length > attempts && observer.connected);
      await flowing();
    }
  });
});
