import { once } from 'node:events';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WakeUpTimer } from './wake-up-timer.js';

const TOLERANCE_MS = 40;
const now = (): number => performance.now();

let timers: WakeUpTimer[] = [];
afterEach(() => {
  for (const timer of timers) timer.stop();
  timers = [];
});

/** A timer with a record of what it did. By default its owner sets no further deadline. */
function createTimer(onDue: (timer: WakeUpTimer) => void = (timer) => timer.set(Infinity)) {
  const story: string[] = [];
  const late: number[] = [];
  const timer: WakeUpTimer = new WakeUpTimer({
    now,
    onLate: (lateMs) => {
      late.push(lateMs);
      story.push('late');
    },
    onDue: () => {
      story.push('due');
      onDue(timer);
    },
    toleranceMs: () => TOLERANCE_MS,
  });
  timers.push(timer);
  return { timer, story, late };
}

/** The event loop stalls. */
function stall(forMs: number): void {
  const end = now() + forMs;
  while (now() < end);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function until(condition: () => boolean): Promise<void> {
  const end = now() + 10_000;
  while (!condition()) {
    if (now() > end) throw new Error('timed out');
    await turn();
  }
}

describe('WakeUpTimer', () => {
  it('wakes up at the deadline, not before', async () => {
    const { timer, story } = createTimer();
    const dueMs = now() + 30;
    timer.set(dueMs);
    await until(() => story.includes('due'));
    expect(now()).toBeGreaterThanOrEqual(dueMs);
  });

  it('follows a deadline that moves closer', async () => {
    const { timer, story } = createTimer();
    timer.set(now() + 60_000);
    timer.set(now() + 10);
    await until(() => story.includes('due'));
  });

  it('follows a deadline that moves away, without waking anyone meanwhile', async () => {
    const { timer, story } = createTimer();
    timer.set(now() + 20);
    const dueMs = now() + 120;
    timer.set(dueMs);
    await until(() => story.includes('due'));
    expect(now()).toBeGreaterThanOrEqual(dueMs);
    expect(story.filter((event) => event === 'due')).toHaveLength(1);
  });

  it('sleeps without a deadline, and wakes up when there is one again', async () => {
    const { timer, story } = createTimer();
    timer.set(now());
    await until(() => story.includes('due'));
    for (let i = 0; i < 50; i++) await turn();
    expect(story).toHaveLength(1);
    timer.set(now() + 5);
    await until(() => story.length === 2);
  });

  it('continues when its owner sets the next deadline on each wake-up', async () => {
    const { timer, story } = createTimer((self) => self.set(now() + 2));
    timer.set(now());
    await until(() => story.length >= 5);
  });

  it('says once how late it is, before anything else happens', async () => {
    const { timer, story, late } = createTimer();
    timer.set(now() + 5);
    stall(200);
    await until(() => story.includes('due'));
    expect(story).toEqual(['late', 'due']);
    expect(late[0]).toBeGreaterThan(190);
  });

  it('says it only once when the owner sets the same overdue deadline again', async () => {
    const { timer, story } = createTimer();
    const dueMs = now() + 5;
    timer.set(dueMs);
    stall(200);
    // Messages that are read after the stall give the same deadline, which is in the past.
    const interval = setInterval(() => story.includes('due') || timer.set(dueMs), 0);
    await until(() => story.includes('due'));
    clearInterval(interval);
    expect(story).toEqual(['late', 'due']);
  });

  it('lets the sockets be read first after a stall', async () => {
    const { timer, story } = createTimer();
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    const [peer] = (await once(server, 'connection')) as [net.Socket];
    client.on('data', () => {
      story.push('heartbeat');
      timer.set(now() + 60_000);
    });
    timer.set(now() + 5);
    peer.write('I live');
    stall(200);
    await until(() => story.includes('heartbeat'));
    for (let i = 0; i < 20; i++) await turn();
    client.destroy();
    peer.destroy();
    server.close();
    // It heard from the leader in time, so there is nothing to do.
    expect(story).toEqual(['late', 'heartbeat']);
  });

  it('does nothing after its end', async () => {
    const { timer, story } = createTimer();
    timer.set(now());
    timer.stop();
    timer.set(now());
    for (let i = 0; i < 20; i++) await turn();
    expect(story).toEqual([]);
  });

  it('does nothing when it is stopped between waking up and reading', async () => {
    const { timer, story } = createTimer();
    timer.set(now() + 1);
    stall(100);
    await until(() => story.includes('late'));
    timer.stop();
    for (let i = 0; i < 20; i++) await turn();
    expect(story).toEqual(['late']);
  });
});
