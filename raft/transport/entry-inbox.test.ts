import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AppendRequest } from '../core/messages.js';
import { EntryInbox } from './entry-inbox.js';
import { bigAppend } from './testing/arbitrary-frames.js';
import type { EntryChunkRequest } from './wire-message.js';

const BYTES = 1000;

let nowMs: number;
let inbox: EntryInbox;
beforeEach(() => {
  nowMs = 0;
  inbox = new EntryInbox({ bytesMax: 3 * BYTES, entriesMax: 3, now: () => nowMs });
});

/** An append of one entry, and the same without its data. */
function entry(index = 1, byteLength = BYTES): { whole: AppendRequest; bare: AppendRequest } {
  const append = bigAppend(byteLength);
  const entries = append.entries.map((each) => ({ ...each, index }));
  const whole = { ...append, entries };
  return { whole, bare: { ...append, entries: entries.map((each) => ({ ...each, data: undefined })) } };
}

/** A piece of the first entry of an append. */
function piece({ entries }: AppendRequest, from: number, to: number, term = 1): EntryChunkRequest {
  const { data, kind: _, ...id } = entries[0]!;
  return { type: 'entryChunk', term, requestId: 1, entry: id, offset: from, data: data!.subarray(from, to) };
}

describe('an entry', () => {
  it('that came in pieces completes its append', () => {
    const { whole, bare } = entry();
    expect(inbox.keep(piece(whole, 0, 600))).toBe(600);
    expect(inbox.complete(bare)).toBeUndefined();
    expect(inbox.keep(piece(whole, 600, BYTES))).toBe(BYTES);
    expect(inbox.complete(bare)).toEqual(whole);
    // As long as it is not in the log: the append may come again.
    expect(inbox.complete(bare)).toEqual(whole);
    inbox.release(bare);
    expect(inbox.complete(bare)).toBeUndefined();
    expect(inbox.heldBytes).toBe(0);
  });

  it('grows only where it ends: a piece behind a gap or beyond the end is not kept', () => {
    const { whole } = entry();
    expect(inbox.keep(piece(whole, 500, 600))).toBe(0);
    expect(inbox.keep(piece(whole, 0, 300))).toBe(300);
    expect(inbox.keep(piece(whole, 0, 200))).toBe(300);
    expect(inbox.keep(piece(whole, 200, 400))).toBe(400);
    expect(inbox.keep({ ...piece(whole, 400, 500), data: Buffer.alloc(BYTES) })).toBe(400);
  });

  it('with sound pieces but a damaged whole begins again', () => {
    const { whole } = entry();
    const damaged = { ...piece(whole, 0, BYTES), data: Buffer.alloc(BYTES) };
    expect(() => inbox.keep(damaged)).toThrow('the CRC of entry 1 is wrong');
    expect(inbox.keep(piece(whole, 0, 10))).toBe(10);
  });

  it('continues under the next leader, and takes nothing more from the previous one', () => {
    const { whole, bare } = entry();
    expect(inbox.keep(piece(whole, 0, 400, 5))).toBe(400);
    inbox.noteTerm(6);
    expect(inbox.keep(piece(whole, 400, BYTES, 5))).toBeNull();
    expect(inbox.keep(piece(whole, 400, BYTES, 6))).toBe(BYTES);
    expect(inbox.complete(bare)).toEqual(whole);
  });

  it('of another term, with other bytes, or at another place is another entry', () => {
    const { whole } = entry();
    inbox.keep(piece(whole, 0, 400));
    for (const change of [{ term: 2 }, { index: 2 }, { chainHash: 8 }, { crc: crc32('x') }]) {
      const other = { ...whole, entries: whole.entries.map((each) => ({ ...each, ...change })) };
      expect(inbox.keep(piece(other, 0, 1))).toBe(1);
    }
  });
});

describe('the memory that is held', () => {
  it('is bounded in bytes: the longest waiting entry is dropped', () => {
    const [first, second, third] = [entry(1, 2 * BYTES).whole, entry(2).whole, entry(3).whole];
    inbox.keep(piece(first, 0, 100));
    inbox.keep(piece(second, 0, 100));
    inbox.keep(piece(first, 100, 200));
    inbox.keep(piece(third, 0, 100));
    expect(inbox.heldBytes).toBe(3 * BYTES);
    expect(inbox.keep(piece(first, 200, 300))).toBe(300);
    expect(inbox.keep(piece(second, 0, 50))).toBe(50);
  });

  it('is bounded in entries', () => {
    for (let index = 1; index <= 10; index++) inbox.keep(piece(entry(index, 10).whole, 0, 5));
    expect(inbox.heldBytes).toBe(30);
  });

  it('is refused when one entry alone is too large', () => {
    expect(() => inbox.keep(piece(entry(1, 3 * BYTES + 1).whole, 0, 1))).toThrow('the limit is 3000');
    expect(inbox.heldBytes).toBe(0);
  });

  it('is dropped when no piece came for a minute', () => {
    const { whole } = entry();
    inbox.keep(piece(whole, 0, 100));
    nowMs = 59_999;
    inbox.dropStale();
    expect(inbox.heldBytes).toBe(BYTES);
    nowMs = 60_000;
    inbox.dropStale();
    expect(inbox.heldBytes).toBe(0);
  });
});
