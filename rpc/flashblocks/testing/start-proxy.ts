import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from '@jest/globals';
import { pino } from 'pino';
import type { ClientOptions, ServerOptions } from 'ws';
import { FlashblocksProxy, type FlashblocksProxyOptions } from '../flashblocks-proxy.js';
import { FakeUpstream } from './fake-upstream.js';
import { Listener } from './listener.js';
import { RecordingObserver } from './recording-observer.js';

/** What a test started. Ended after the test, last first. */
export const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const WITHIN_MS = 10_000;

/** Waits for a condition, and does something each time it does not hold yet. */
export async function until(
  condition: () => boolean,
  meanwhile: () => void = () => undefined,
): Promise<void> {
  const end = performance.now() + WITHIN_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${WITHIN_MS} ms for ${condition.toString()}`);
    meanwhile();
    await sleep(2);
  }
}

/** An upstream that ends with its test. */
export async function startUpstream(port = 0, options: ServerOptions = {}): Promise<FakeUpstream> {
  const upstream = await FakeUpstream.start(port, options);
  cleanUps.push(() => upstream.stop());
  return upstream;
}

/** A client that ends with its test. */
export async function listen(port: number, options: ClientOptions = {}): Promise<Listener> {
  const listener = await Listener.connect(port, options);
  cleanUps.push(() => listener.stop());
  return listener;
}

interface Started {
  proxy: FlashblocksProxy;
  port: number;
  observer: RecordingObserver;
  log: { msg: string }[];
  lead: (leads: boolean) => void;
}

/** A proxy that leads until `lead(false)`, and ends with its test. */
export async function startProxy(
  options: Partial<FlashblocksProxyOptions> & Pick<FlashblocksProxyOptions, 'upstreamUrl'>,
): Promise<Started> {
  let leads = true;
  const observer = new RecordingObserver();
  const log: { msg: string }[] = [];
  const proxy = new FlashblocksProxy({
    host: '127.0.0.1',
    port: 0,
    compression: false,
    isLeader: () => leads,
    observer,
    logger: pino({}, { write: (line: string) => log.push(JSON.parse(line) as { msg: string }) }),
    ...options,
  });
  const { port } = await proxy.start();
  cleanUps.push(() => proxy.stop(50));
  const lead = (now: boolean): void => {
    leads = now;
    proxy.leadershipChanged();
  };
  return { proxy, port, observer, log, lead };
}

/** A leader and its upstream, with frames flowing. */
export async function startStream(options: Partial<FlashblocksProxyOptions> = {}) {
  const upstream = await startUpstream();
  const started = await startProxy({ upstreamUrl: upstream.url, ...options });
  const flowing = async (): Promise<void> => {
    const probe = await listen(started.port);
    await until(
      () => probe.frames.length > 0,
      () => upstream.send('probe'),
    );
    probe.stop();
    await until(() => started.observer.clients === 0);
  };
  await until(() => started.observer.connected);
  await flowing();
  return { upstream, flowing, ...started };
}
