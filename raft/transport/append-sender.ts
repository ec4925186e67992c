import type { Entry } from '../core/entries.js';
import type { AppendRequest } from '../core/messages.js';
import { FrameError } from './errors.js';
import type { Pace } from './pace.js';
import { sendInPieces } from './send-in-pieces.js';
import { dataBytesOf, splitAppend } from './split-append.js';
import type { EntryChunkRequest, WireResponse } from './wire-message.js';

export interface AppendSenderOptions {
  pace: Pace;
  /** Whether the peer takes entries in pieces. */
  takesPieces: () => boolean;
  exchange: (message: AppendRequest | EntryChunkRequest) => Promise<WireResponse>;
}

/** Hears how many bytes of a request the peer has confirmed so far. */
export type OnProgress = (bytes: number) => void;

/** Pieces under way at once: one on the line while the other is answered. */
const WINDOW = 2;

/** The part of an append that is still to be sent, or the answer that makes the rest pointless. */
type Outcome = { rest: AppendRequest } | { refusal: WireResponse };

/**
 * Sends appends to one peer, in order, without holding up the line. A large entry goes before its append, in pieces: a
 * failure does not lose a piece that arrived, and the next attempt continues where the last one stopped. Many small
 * entries go in several appends, each after the answer to the previous one.
 */
export class AppendSender {
  /** The previous append, until it has left; undefined when nothing holds up the next one. */
  private before: Promise<unknown> | undefined;
  /** How much of the last entry has been sent. */
  private reached: { entry: Entry['chainHash']; bytes: number } | undefined;

  constructor(private readonly options: AppendSenderOptions) {}

  send(append: AppendRequest, onProgress?: OnProgress): Promise<WireResponse> {
    if (append.entries.some(({ data }) => !data)) throw new Error('a message was sent without its data');
    const { pace, takesPieces } = this.options;
    const isLarge = ({ kind, byteLength }: Entry): boolean =>
      kind === 'command' && byteLength > pace.pieceBytes;
    const large = takesPieces() ? append.entries.filter(isLarge) : [];
    const isSmall = large.length === 0 && dataBytesOf(append) <= pace.pieceBytes;
    if (isSmall && !this.before) return this.exchange(append);
    return this.sendAfter(this.before, append, large, onProgress);
  }

  private sendAfter(
    before: Promise<unknown> | undefined,
    append: AppendRequest,
    large: readonly Entry[],
    onProgress: OnProgress | undefined,
  ): Promise<WireResponse> {
    const ready = this.prepare(before, append, large, onProgress);
    // The result is not a promise: otherwise the next append would wait for this one's answer.
    const left = ready.then((outcome) => ({
      answer: 'refusal' in outcome ? outcome.refusal : this.exchange(outcome.rest),
    }));
    const done = (): void => {
      if (this.before === left) this.before = undefined;
    };
    this.before = left;
    left.then(done, done);
    return left.then(({ answer }) => answer);
  }

  /** Sends the large entries in turn, and all of the append but its last part. */
  private async prepare(
    before: Promise<unknown> | undefined,
    append: AppendRequest,
    large: readonly Entry[],
    onProgress: OnProgress | undefined,
  ): Promise<Outcome> {
    // Behind one that failed it would be refused.
    await before;
    let done = 0;
    for (const entry of large) {
      await this.sendEntry(append, entry, (bytes) => onProgress?.(done + bytes));
      done += entry.byteLength;
    }
    // If the peer has lost them since, the next attempt finds out.
    this.reached = undefined;
    const withoutData = (entry: Entry): Entry =>
      large.includes(entry) ? { ...entry, data: undefined } : entry;
    const bare = { ...append, entries: append.entries.map(withoutData) };
    const parts = splitAppend(bare, this.options.pace.pieceBytes);
    const rest = parts.pop() as AppendRequest;
    for (const part of parts) {
      const answer = await this.exchange(part);
      if (answer.type !== 'appendResponse' || !answer.success) return { refusal: answer };
      done += dataBytesOf(part);
      onProgress?.(done);
    }
    return { rest };
  }

  private async exchange(append: AppendRequest): Promise<WireResponse> {
    const { pace, exchange } = this.options;
    const begunMs = performance.now();
    const answer = await exchange(append);
    pace.answered(dataBytesOf(append), performance.now() - begunMs);
    return answer;
  }

  private async sendEntry(
    { term, requestId }: AppendRequest,
    entry: Entry,
    onProgress: OnProgress,
  ): Promise<void> {
    const { pace, exchange } = this.options;
    const { kind: _, data, ...id } = entry;
    const whole = data as Uint8Array;
    await sendInPieces({
      byteLength: id.byteLength,
      read: (offset) => whole.subarray(offset),
      send: async (offset, piece) => {
        const answer = await exchange({
          type: 'entryChunk',
          term,
          requestId,
          entry: id,
          offset,
          data: piece,
        });
        if (answer.type === 'entryChunkResponse') return answer.received;
        throw new FrameError('malformed', 'invalid answer to a piece of an entry');
      },
      from: this.reached?.entry === id.chainHash ? this.reached.bytes : 0,
      window: WINDOW,
      pace,
      onProgress: (bytes) => {
        this.reached = { entry: id.chainHash, bytes };
        onProgress(bytes);
      },
    });
  }
}
