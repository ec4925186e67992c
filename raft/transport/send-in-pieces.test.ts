import { describe, expect, it } from '@jest/globals';
import { Pace } from './pace.js';
import { sendInPieces, type PiecesOptions } from './send-in-pieces.js';

const PIECE = new Pace().pieceBytes;
const DATA = Buffer.from(Array.from({ length: 2.5 * PIECE }, (_, at) => at % 251));

interface Receiver extends PiecesOptions {
  pieces: [offset: number, length: number][];
  data: Buffer;
  progress: number[];
}

/** A receiver that has the first `received` bytes already. */
function receiver(received: number, options: Partial<PiecesOptions> = {}): Receiver {
  const pace = new Pace();
  const self: Receiver = {
    pieces: [],
    data: Buffer.from(DATA.subarray(0, received)),
    progress: [],
    byteLength: DATA.length,
    read: (offset) => DATA.subarray(offset),
    send: async (offset, piece) => {
      self.pieces.push([offset, piece.length]);
      const isNew = offset <= self.data.length && offset + piece.length > self.data.length;
      if (isNew) self.data = Buffer.concat([self.data.subarray(0, offset), piece]);
      return self.data.length;
    },
    from: undefined,
    window: 1,
    // Of one size all the time.
    pace: { pieceBytes: pace.pieceBytes, answered: () => undefined },
    onProgress: (bytes) => void self.progress.push(bytes),
    ...options,
  };
  return self;
}

describe('data', () => {
  it('go piece by piece, after a question', async () => {
    const to = receiver(0);
    await sendInPieces(to);
    expect(to.pieces).toEqual([
      [0, 0],
      [0, PIECE],
      [PIECE, PIECE],
      [2 * PIECE, PIECE / 2],
    ]);
    expect(to.data.equals(DATA)).toBe(true);
    expect(to.progress).toEqual([PIECE, 2 * PIECE, 2.5 * PIECE]);
  });

  it('continue from where the receiver is, at any offset', async () => {
    const to = receiver(100_000);
    await sendInPieces(to);
    expect(to.pieces[1]?.[0]).toBe(100_000);
    expect(to.data.equals(DATA)).toBe(true);
  });

  it('are not sent when the receiver has them all', async () => {
    const to = receiver(DATA.length);
    await sendInPieces(to);
    expect(to.pieces).toEqual([[0, 0]]);
  });

  it('end with the connection', async () => {
    const to = receiver(0, { send: () => Promise.reject(new Error('connection lost')) });
    await expect(sendInPieces(to)).rejects.toThrow('connection lost');
  });

  it('end when they are no longer wanted', async () => {
    const controller = new AbortController();
    const to = receiver(0, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(sendInPieces(to)).rejects.toMatchObject({ name: 'AbortError' });
    expect(to.pieces).toHaveLength(2);
  });

  it.each([
    ['takes nothing', 0],
    ['has more than there is', DATA.length + 1],
  ])('do not go on forever to a peer that %s', async (_name, received) => {
    const to = receiver(0, { send: async () => received });
    await expect(sendInPieces(to)).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('two pieces under way', () => {
  it('leave before the first of them is answered', async () => {
    const answers: (() => void)[] = [];
    const to = receiver(0, { from: 0, window: 2 });
    const { send } = to;
    const sent = sendInPieces({
      ...to,
      send: async (...piece) => {
        const received = await send(...piece);
        await new Promise<void>((resolve) => answers.push(resolve));
        return received;
      },
    });
    while (answers.length < 2) await new Promise(setImmediate);
    expect(to.pieces).toHaveLength(2);
    for (let answered = 0; answered < 3; answered++) {
      while (!answers[answered]) await new Promise(setImmediate);
      answers[answered]?.();
    }
    await sent;
    expect(to.data.equals(DATA)).toBe(true);
  });

  it.each([
    ['more than was thought', 2 * PIECE + 7, 0],
    ['all of it', DATA.length, 0],
    ['less than was thought', 100, 2 * PIECE],
    ['nothing any more', 0, PIECE],
  ])('go on where the receiver is, which has %s', async (_name, received, from) => {
    const to = receiver(received, { from, window: 2 });
    const { send } = to;
    // Bytes that are there are not taken again.
    to.send = async (offset, piece) => (offset < to.data.length ? to.data.length : send(offset, piece));
    await sendInPieces(to);
    expect(to.data.equals(DATA)).toBe(true);
  });
});
