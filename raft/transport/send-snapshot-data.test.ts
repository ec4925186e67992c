import { describe, expect, it } from '@jest/globals';
import { crc32 } from 'node:zlib';
import { SNAPSHOT_CHUNK_BYTES, sourceOf } from '../storage/snapshot-stream.js';
import { snapshotAt } from '../storage/testing/test-log.js';
import { sendSnapshotData } from './send-snapshot-data.js';
import type { SnapshotChunkRequest, WireResponse } from './wire-message.js';

const DATA = Buffer.alloc(2.5 * SNAPSHOT_CHUNK_BYTES, 'state');
const source = sourceOf(snapshotAt({ index: 3, term: 2, chainHash: 5 }, DATA), crc32(DATA));
type Chunk = Omit<SnapshotChunkRequest, 'term' | 'requestId'>;

const answer = (received: number): WireResponse => ({
  type: 'snapshotChunkResponse',
  term: 1,
  requestId: 1,
  received,
});

/** A receiver that has `received` bytes already, and what it was sent. */
function receiver(received: number, failAt = Infinity) {
  const chunks: Chunk[] = [];
  const exchange = async (chunk: Chunk): Promise<WireResponse> => {
    chunks.push(chunk);
    if (chunks.length > failAt) throw new Error('connection lost');
    if (chunk.offset === received) received += chunk.data.length;
    return answer(received);
  };
  return { chunks, exchange, signal: new AbortController().signal };
}

describe('the data of a snapshot', () => {
  it('go one chunk after the other, after a question', async () => {
    const { chunks, exchange, signal } = receiver(0);
    await sendSnapshotData(exchange, source, signal);
    expect(chunks.map(({ offset, data }) => [offset, data.length])).toEqual([
      [0, 0],
      [0, SNAPSHOT_CHUNK_BYTES],
      [SNAPSHOT_CHUNK_BYTES, SNAPSHOT_CHUNK_BYTES],
      [2 * SNAPSHOT_CHUNK_BYTES, SNAPSHOT_CHUNK_BYTES / 2],
    ]);
    expect(Buffer.concat(chunks.map(({ data }) => data)).equals(DATA)).toBe(true);
  });

  it('tell what the receiver has after each answer', async () => {
    const { exchange, signal } = receiver(SNAPSHOT_CHUNK_BYTES);
    const told: number[] = [];
    await sendSnapshotData(exchange, source, signal, (bytes) => told.push(bytes));
    expect(told).toEqual([1, 2, 2.5].map((chunks) => chunks * SNAPSHOT_CHUNK_BYTES));
  });

  it('go on from where the receiver is, wherever that is', async () => {
    const { chunks, exchange, signal } = receiver(100_000);
    await sendSnapshotData(exchange, source, signal);
    expect(chunks[1]?.offset).toBe(100_000);
    expect(Buffer.concat(chunks.slice(1).map(({ data }) => data)).equals(DATA.subarray(100_000))).toBe(true);
  });

  it.each([
    ['nothing when all is there', DATA.length, source],
    ['nothing of an empty snapshot', 0, sourceOf(snapshotAt({ index: 3, term: 2, chainHash: 5 }, ''), 0)],
  ])('are %s', async (_name, received, from) => {
    const { chunks, exchange, signal } = receiver(received);
    await sendSnapshotData(exchange, from, signal);
    expect(chunks).toHaveLength(1);
  });

  it('end with the connection', async () => {
    const { exchange, signal } = receiver(0, 2);
    await expect(sendSnapshotData(exchange, source, signal)).rejects.toThrow('connection lost');
  });

  it('end when they are no longer wanted', async () => {
    const controller = new AbortController();
    const { chunks, exchange } = receiver(0);
    const sent = sendSnapshotData(
      (chunk) => (chunks.length === 2 && controller.abort(), exchange(chunk)),
      source,
      controller.signal,
    );
    await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
    expect(chunks).toHaveLength(3);
  });

  it.each([
    ['takes nothing', answer(0)],
    ['has more than there is', answer(DATA.length + 1)],
    ['answers something else', { type: 'snapshotResponse', term: 1, requestId: 1, matchIndex: 3 } as const],
  ])('do not go on for ever to a peer that %s', async (_name, response) => {
    const sent = sendSnapshotData(async () => response, source, new AbortController().signal);
    await expect(sent).rejects.toMatchObject({ code: 'malformed' });
  });
});
