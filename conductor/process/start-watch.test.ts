import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { pass, useVirtualTime } from '../testing/virtual-time.js';
import { virtualSleep } from '../testing/virtual-sleep.js';
import { watchStart, type Obstacle } from './start-watch.js';

useVirtualTime();

interface Line {
  msg: string;
  forMs?: number;
  waitsFor?: (Obstacle & { remedy: string })[];
}

const opNode: Obstacle = { waitsFor: 'op-node', reason: 'connect ECONNREFUSED' };
const cluster: Obstacle = { waitsFor: 'cluster', reason: 'b at h:1 does not answer' };

let missing: Obstacle[];
let lines: Line[];
let ending: AbortController;
let isOver: boolean;

beforeEach(() => {
  missing = [opNode];
  lines = [];
  ending = new AbortController();
  isOver = false;
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Line) });
  const options = { obstacles: () => missing, logger, signal: ending.signal, sleep: virtualSleep };
  void watchStart(options).then(() => (isOver = true));
});

afterEach(() => ending.abort());

describe('a start', () => {
  it('says nothing if everything is there in time', async () => {
    await pass(1000);
    missing = [];
    await pass(1000);
    expect([lines, isOver]).toEqual([[], true]);
  });

  it('says within five seconds what it waits for, with a remedy', async () => {
    missing = [opNode, cluster];
    await pass(4900);
    expect(lines).toEqual([
      expect.objectContaining({
        msg: 'startup is waiting',
        forMs: 2000,
        waitsFor: [
          { ...opNode, remedy: expect.stringContaining('--node.rpc') },
          { ...cluster, remedy: expect.stringContaining('baton add') },
        ],
      }),
      expect.objectContaining({ msg: 'startup is waiting', forMs: 4000 }),
    ]);
  });

  it('repeats it with growing pauses, up to a minute', async () => {
    await pass(400_000);
    const pauses = lines.map(({ forMs }, at) => forMs! - (lines[at - 1]?.forMs ?? 0));
    expect(pauses).toEqual([
      2000,
      2000,
      4000,
      8000,
      16_000,
      32_000,
      ...Array.from({ length: 5 }, () => 60_000),
    ]);
  });

  it('says at once what else it waits for, also after a long time', async () => {
    await pass(130_000);
    const before = lines.length;
    missing = [cluster];
    await pass(500);
    expect(lines.slice(before)).toEqual([
      expect.objectContaining({ waitsFor: [expect.objectContaining({ ...cluster })] }),
    ]);
  });

  it('says when it no longer waits', async () => {
    await pass(3000);
    missing = [];
    await pass(500);
    expect(lines.at(-1)).toMatchObject({ msg: 'startup no longer waits', tookMs: 3500 });
    expect(isOver).toBe(true);
  });

  it('is silent after it has ended', async () => {
    ending.abort();
    await pass(10_000);
    expect([lines, isOver]).toEqual([[], true]);
  });
});
