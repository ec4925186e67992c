import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MIB } from '../../common/bytes.js';
import { listen, startProxy, startStream, startUpstream, until } from './testing/start-proxy.js';

describe('forwarding', () => {
  it('passes text and binary frames on as they are, unchanged and in order, to every client', async () => {
    const { upstream, port, observer } = await startStream();
    const clients = await Promise.all([listen(port), listen(port), listen(port)]);
    const before = observer.frames;
    const sent = ['{"index":0,"base":"ü"}', randomBytes(300), '', Buffer.alloc(0), randomBytes(9 * MIB)];
    for (const frame of sent) upstream.send(frame);
    await until(() => clients.every(({ frames }) => frames.length === sent.length));
    for (const { frames } of clients) {
      for (const [at, { data, binary }] of frames.entries()) {
        expect(binary).toBe(typeof sent[at] !== 'string');
        expect(data.equals(Buffer.from(sent[at] as string))).toBe(true);
      }
    }
    expect(observer.frames - before).toBe(sent.length);
    expect(observer.clients).toBe(3);
  });

  it('gives nothing to the clients of a follower, and keeps them', async () => {
    const { upstream, port, observer, lead, flowing } = await startStream();
    lead(false);
    const client = await listen(port);
    upstream.send('of a follower');
    await until(() => observer.drops.includes('not-leader'));
    client.stop();
    lead(true);
    await flowing();
    expect(client.frames).toEqual([]);
  });

  it('never forwards what was sent before the promotion, wherever it waits', async () => {
    const { upstream, port, observer, lead } = await startStream();
    lead(false);
    const client = await listen(port);
    const before = observer.drops.length;
    upstream.send('dropped as a follower');
    await until(() => observer.drops.length > before);
    const staleFrames = (): number => observer.drops.filter((reason) => reason === 'stale').length;
    const staleBefore = staleFrames();
    // These are in the kernel's buffer when the node is promoted. The pong comes after them.
    for (let i = 0; i < 20; i++) upstream.send(`stale ${i} ${'x'.repeat(10_000)}`);
    lead(true);
    await until(() => staleFrames() === staleBefore + 20);
    await until(
      () => client.frames.length > 0,
      () => upstream.send('fresh'),
    );
    expect(new Set(client.texts)).toEqual(new Set(['fresh']));
  });

  it('waits for a pong only for a limited time', async () => {
    const upstream = await startUpstream(0, { autoPong: false });
    const { port, observer } = await startProxy({ upstreamUrl: upstream.url });
    const client = await listen(port);
    await until(() => observer.connected);
    await until(
      () => client.frames.length > 0,
      () => upstream.send('frame'),
    );
    expect(observer.drops).toContain('stale');
  });

  it('forwards nothing after the demotion, not even the rest of a frame that is being sent', async () => {
    let demote: (() => void) | undefined;
    let leads = true;
    const upstream = await startUpstream();
    const { port, proxy, observer } = await startProxy({
      upstreamUrl: upstream.url,
      isLeader: () => {
        // Runs when the first clients have been served, before the next.
        if (demote) setImmediate(demote);
        return leads;
      },
    });
    const clients = await Promise.all(Array.from({ length: 450 }, () => listen(port)));
    let sent = 0;
    await until(
      () => clients[0]!.frames.length > 0,
      () => upstream.send(`of the leader ${++sent}`),
    );
    await until(() => observer.frames + observer.drops.length === sent);
    demote = () => {
      demote = undefined;
      leads = false;
      proxy.leadershipChanged();
      upstream.send('of the follower');
    };
    upstream.send('last of the leader');
    await until(() => observer.drops.includes('demoted') && observer.drops.includes('not-leader'));
    const count = (text: string): number => clients.filter(({ texts }) => texts.includes(text)).length;
    await until(() => count('last of the leader') === 200);
    for (const client of clients) client.socket.close();
    await until(() => clients.every(({ closed }) => closed));
    expect(count('last of the leader')).toBe(200);
    expect(count('of the follower')).toBe(0);
  });

  it('notices an unannounced leadership', async () => {
    const upstream = await startUpstream();
    let leads = false;
    const { port, observer } = await startProxy({ upstreamUrl: upstream.url, isLeader: () => leads });
    await until(() => observer.connected);
    const client = await listen(port);
    leads = true;
    await until(
      () => client.frames.length > 0,
      () => upstream.send('frame'),
    );
    expect(observer.drops).toContain('stale');
  });
});
