import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/eventually.js';
import { SlowLine } from '../testing/slow-line.js';
import { bigAppend, manyAppend } from './testing/arbitrary-frames.js';
import { errorOf, nodesOfEachTest } from './testing/nodes-of-each-test.js';
import { agree, heartbeat, type TransportNode, type TransportNodeOptions } from './testing/transport-node.js';

const { start } = nodesOfEachTest();
const lines: SlowLine[] = [];
afterEach(async () => {
  await Promise.all(lines.splice(0).map((line) => line.close()));
});

/** 8 Mbit/s. */
const BYTES_PER_MS = 1000;
const BYTES = 700_000;

/** Nodes `a` and `b`, and the line that leads to `b`. */
async function overSlowLine(
  of: TransportNodeOptions = {},
): Promise<{ a: TransportNode; b: TransportNode; line: SlowLine }> {
  const b = await start('b', of);
  const line = await SlowLine.open(() => ({ host: '127.0.0.1', port: b.port }), BYTES_PER_MS);
  lines.push(line);
  // Far less time than all of it takes.
  const a = await start('a', { timeouts: { bulkMs: 100 } });
  a.transport.setPeers([{ ...b.member, address: `127.0.0.1:${line.port}` }]);
  // The first one may find out that the peer speaks another version.
  await a.transport.send('b', heartbeat()).catch(() => undefined);
  return { a, b, line };
}

const isWhole = ({ received }: TransportNode, append: ReturnType<typeof bigAppend>): boolean => {
  const [entry] = received.flatMap(({ message }) => (message.type === 'append' ? message.entries : []));
  return Buffer.compare(entry?.data as Buffer, append.entries[0]?.data as Buffer) === 0;
};

describe('many small entries on a slow line', () => {
  it('arrive in several appends that do not hold up the line, and their progress is reported', async () => {
    const { a, b } = await overSlowLine();
    const append = manyAppend(70, BYTES / 70);
    const progress: number[] = [];
    const answer = await a.transport.send('b', append, (bytes) => void progress.push(bytes));
    expect(answer).toEqual(agree(append));
    const parts = b.received.flatMap(({ message }) => (message.type === 'append' ? [message] : []));
    expect(parts.flatMap(({ entries }) => entries)).toEqual(append.entries);
    // A piece grows beyond its first size only while the line answers at once.
    const sizes = parts.map(({ entries }) => entries.reduce((sum, { byteLength }) => sum + byteLength, 0));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * 1024);
    expect(progress).toHaveLength(parts.length - 1);
  });
});

describe('a large entry on a slow line', () => {
  it('arrives, its progress is reported, and heartbeats are not held up', async () => {
    const { a, b, line } = await overSlowLine();
    const append = bigAppend(BYTES);
    const progress: number[] = [];
    const begunMs = performance.now();
    let isThere = false;
    const sent = a.transport.send('b', append, (bytes) => void progress.push(bytes));
    const answer = sent.finally(() => (isThere = true));
    let slowestMs = 0;
    while (!isThere) {
      const beatMs = performance.now();
      await a.transport.send('b', heartbeat());
      slowestMs = Math.max(slowestMs, performance.now() - beatMs);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await answer).toEqual(agree(append));
    expect(isWhole(b, append)).toBe(true);
    expect(progress.length).toBeGreaterThan(5);
    expect(progress).toEqual([...progress].sort((x, y) => x - y));
    expect(progress.at(-1)).toBe(BYTES);
    // Half an election timeout on a region's network; without pieces it would be the whole time.
    expect(slowestMs).toBeLessThan(300);
    expect(performance.now() - begunMs).toBeLessThan((3 * BYTES) / BYTES_PER_MS);
    expect(line.carriedBytes).toBeLessThan(1.1 * BYTES);
  });

  it('continues where it stopped when connections break', async () => {
    const { a, b, line } = await overSlowLine();
    const append = bigAppend(BYTES);
    let reached = 0;
    let isThere = false;
    const sendUntilThere = async (): Promise<void> => {
      while (!isThere) {
        const sent = a.transport.send('b', append, (bytes) => void (reached = bytes));
        isThere = await sent.then(
          () => true,
          () => false,
        );
      }
    };
    const done = sendUntilThere();
    for (let cuts = 1; cuts <= 3; cuts++) {
      await eventually(() => reached > (cuts * BYTES) / 4, 'a quarter more');
      line.cut();
    }
    await done;
    expect(isWhole(b, append)).toBe(true);
    // Only the bytes under way at each cut are lost.
    expect(line.carriedBytes).toBeLessThan(1.8 * BYTES);
  });

  it('begins again at a peer that was restarted', async () => {
    const { a, b, line } = await overSlowLine();
    const append = bigAppend(BYTES);
    let reached = 0;
    const failed = errorOf(a.transport.send('b', append, (bytes) => void (reached = bytes)));
    await eventually(() => reached > 0, 'a piece');
    const { port, incarnation } = b;
    await b.transport.stop();
    line.cut();
    await failed;
    const again = await start('b', { port, incarnation });
    expect(await a.transport.send('b', append)).toEqual(agree(append));
    expect(isWhole(again, append)).toBe(true);
  });

  it('keeps its place: a small one behind it does not overtake', async () => {
    const { a, b } = await overSlowLine();
    const answers = [bigAppend(BYTES, 7), bigAppend(10, 8)].map((append) => a.transport.send('b', append));
    expect((await Promise.all(answers)).map(({ requestId }) => requestId)).toEqual([7, 8]);
    const appends = b.received.filter(({ message }) => message.type === 'append');
    expect(appends.map(({ message }) => message.requestId)).toEqual([7, 8]);
  });

  it('goes whole to a peer of the previous release', async () => {
    const { a, b } = await overSlowLine({ wireVersions: { oldest: 4, newest: 4 } });
    const append = bigAppend(BYTES);
    const progress: number[] = [];
    expect(await a.transport.send('b', append, (bytes) => void progress.push(bytes))).toEqual(agree(append));
    expect(isWhole(b, append)).toBe(true);
    expect(progress).toEqual([]);
  });
});

it('an append whose large entries are missing is returned', async () => {
  const [a, b] = [await start('a'), await start('b')];
  a.transport.setPeers([b.member]);
  const append = bigAppend(BYTES);
  const [entry] = append.entries;
  const bare = { ...append, entries: [{ ...entry!, data: undefined }] };
  const sent = a.transport['peers']['exchange']('b', bare);
  expect(await errorOf(sent)).toMatchObject({ code: 'unanswered' });
  expect(b.received).toEqual([]);
  // A mistake on our side does not leave this node.
  expect(await errorOf(a.transport.send('b', bare))).toMatchObject({
    message: expect.stringContaining('without its data'),
  });
});
