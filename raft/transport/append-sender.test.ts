import { describe, expect, it } from '@jest/globals';
import type { AppendRequest, AppendResponse } from '../core/messages.js';
import { AppendSender } from './append-sender.js';
import { Pace } from './pace.js';
import { splitAppend } from './split-append.js';
import { manyAppend } from './testing/arbitrary-frames.js';

const ENTRIES = 10;
const ENTRY_BYTES = 30 * 1024;

/** A peer that answers when it is told to. */
class FakePeer {
  readonly pace = new Pace();
  readonly waiting: { part: AppendRequest; answer: (response: AppendResponse) => void }[] = [];
  readonly sender = new AppendSender({
    pace: this.pace,
    takesPieces: () => true,
    exchange: (message) =>
      new Promise((resolve) => this.waiting.push({ part: message as AppendRequest, answer: resolve })),
  });

  /** The append that waits for an answer. */
  async next(): Promise<AppendRequest> {
    // What is not sent by now waits for an answer.
    await new Promise((resolve) => setImmediate(resolve));
    expect(this.waiting).toHaveLength(1);
    return this.waiting[0]!.part;
  }

  /** Answers the append that waits. */
  async answer(success = true): Promise<AppendResponse> {
    const part = await this.next();
    const { term, requestId, prevIndex, entries } = part;
    const response: AppendResponse = {
      ...{ type: 'appendResponse', term, requestId, success },
      ...{ matchIndex: prevIndex + entries.length, conflictIndex: 0, conflictTerm: 0 },
    };
    this.waiting.shift()!.answer(response);
    return response;
  }
}

describe('an append of many small entries', () => {
  it('goes in parts of a size that suits the line, each after the answer to the previous one', async () => {
    const peer = new FakePeer();
    const progress: number[] = [];
    const append = manyAppend(ENTRIES, ENTRY_BYTES);
    const answer = peer.sender.send(append, (bytes) => void progress.push(bytes));
    const lengths: number[] = [];
    let last: AppendResponse | undefined;
    for (let sent = 0; sent < ENTRIES;) {
      const { entries } = await peer.next();
      lengths.push(entries.length);
      sent += entries.length;
      last = await peer.answer();
    }
    expect(lengths).toEqual([2, 2, 2, 2, 2]);
    expect(await answer).toBe(last);
    expect(progress).toEqual([2, 4, 6, 8].map((entries) => entries * ENTRY_BYTES));
  });

  it('ends with the answer to the part that was refused', async () => {
    const peer = new FakePeer();
    const answer = peer.sender.send(manyAppend(ENTRIES, ENTRY_BYTES));
    await peer.answer();
    const refusal = await peer.answer(false);
    expect(await answer).toBe(refusal);
    await new Promise((resolve) => setImmediate(resolve));
    expect(peer.waiting).toEqual([]);
  });

  it('is not overtaken', async () => {
    const peer = new FakePeer();
    const first = peer.sender.send(manyAppend(4, ENTRY_BYTES, 1));
    const second = peer.sender.send(manyAppend(1, 10, 2));
    expect((await peer.next()).requestId).toBe(1);
    await peer.answer();
    // The last part has left, so that the next append need not wait for its answer.
    await new Promise((resolve) => setImmediate(resolve));
    expect(peer.waiting.map(({ part }) => part.requestId)).toEqual([1, 2]);
    for (const { part, answer } of peer.waiting.splice(0))
      answer({ ...part, type: 'appendResponse' } as never);
    expect([await first, await second].map(({ requestId }) => requestId)).toEqual([1, 2]);
  });

  it('that is not large goes whole', async () => {
    const peer = new FakePeer();
    const append = manyAppend(2, ENTRY_BYTES);
    const answer = peer.sender.send(append);
    expect(await peer.next()).toBe(append);
    await peer.answer();
    await answer;
  });
});

describe('splitAppend', () => {
  it('makes parts that each begin where the previous one ended, and commit no more than they have', () => {
    const append = { ...manyAppend(5, 10), prevIndex: 0, prevTerm: 0, prevHash: 3, commit: 3 };
    const parts = splitAppend(append, 20);
    expect(
      parts.map(({ entries, ...part }) => ({ ...part, entries: entries.map(({ index }) => index) })),
    ).toEqual(
      [
        { prevIndex: 0, prevTerm: 0, prevHash: 3, commit: 2, entries: [1, 2] },
        { prevIndex: 2, prevTerm: 1, prevHash: 8, commit: 3, entries: [3, 4] },
        { prevIndex: 4, prevTerm: 1, prevHash: 10, commit: 3, entries: [5] },
      ].map((part) => ({ type: 'append', term: 1, requestId: 1, ...part })),
    );
  });

  it('leaves alone an append without entries, and an entry that is too large by itself', () => {
    const empty = { ...manyAppend(0, 0), commit: 9 };
    expect(splitAppend(empty, 20)).toEqual([empty]);
    expect(splitAppend(manyAppend(3, 30), 20).map(({ entries }) => entries.length)).toEqual([1, 1, 1]);
  });
});
