import { beforeEach, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ClusterRecord } from '../chain/record.js';
import { Outbox } from './outbox.js';

const record = (what: string): ClusterRecord => ({
  ...{ id: what, atMs: 1, node: 'a', kind: 'operation', who: {}, what, result: 'done', details: {} },
});

let put: string[];
/** Why nothing can be written to the log now. */
let refusal: string | undefined;
let pauses: { ms: number; end: () => void }[];
let lines: string[];
let outbox: Outbox;

beforeEach(() => {
  [put, pauses, lines] = [[], [], []];
  refusal = undefined;
  outbox = new Outbox({
    put: async ({ what }) => {
      if (refusal !== undefined) throw new RpcError(refusal, { reason: refusal });
      put.push(what);
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        pauses.push({ ms, end: resolve });
        signal?.addEventListener('abort', () => reject(new Error('aborted')));
      }),
    logger: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
  });
});

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

it('writes records to the log in order', async () => {
  for (const what of ['1', '2', '3']) outbox.add(record(what));
  expect(put).toEqual(['1']);
  await turns();
  expect(put).toEqual(['1', '2', '3']);
});

it('keeps them while nobody leads, and continues at once when there is a leader', async () => {
  refusal = 'no-leader';
  outbox.add(record('1'));
  outbox.add(record('2'));
  for (let pause = 0; pause < 8; pause++) {
    await turns();
    pauses.at(-1)!.end();
  }
  await turns();
  expect(pauses.map(({ ms }) => ms)).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
  refusal = undefined;
  outbox.tryNow();
  await turns();
  expect(put).toEqual(['1', '2']);
  expect(lines).toEqual([]);
});

it('drops the oldest if there are too many, and says so once the others are written', async () => {
  refusal = 'no-leader';
  for (let at = 0; at < 150; at++) outbox.add(record(String(at)));
  await turns();
  refusal = undefined;
  outbox.tryNow();
  for (let round = 0; round < 20; round++) await turns();
  expect(put).toHaveLength(100);
  expect(put.slice(0, 2)).toEqual(['0', '51']);
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ records: 50, msg: 'records were lost: too many waited for a leader' }),
  ]);
});

it('does not retry a record that is invalid', async () => {
  refusal = 'invalid-record';
  outbox.add(record('1'));
  await turns();
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ what: '1', msg: 'not recorded' }),
  ]);
  refusal = undefined;
  outbox.add(record('2'));
  await turns();
  expect(put).toEqual(['2']);
});
