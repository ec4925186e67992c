import { chainHash, EMPTY_CHAIN_HASH } from '../chain-hash.js';
import { encodeConfiguration } from '../configuration.js';
import { crc32 } from '../crc32.js';
import { RaftCore } from '../raft-core.js';
import type {
  Answer,
  Configuration,
  Entry,
  EntryKind,
  Input,
  Limits,
  Message,
  Output,
  Persist,
  RestoredState,
  Timing,
} from '../types.js';

export const TIMING: Timing = {
  heartbeatIntervalMs: 50,
  electionTimeoutMs: 300,
  rankSlotMs: 20,
  jitterMs: 10,
  leaseTimeoutMs: 300,
  requestTimeoutMs: 60_000,
  transferTimeoutMs: 1000,
};

export const LIMITS: Limits = {
  uncommittedBytesMax: 1000,
  uncommittedEntriesMax: 4,
  inflightRequestsMax: 2,
  inflightBytesMax: 10_000,
  appendBytesMax: 1000,
  cacheBytesMax: 10_000,
};

export const configurationOf = (...ids: string[]): Configuration => ({
  members: ids.map((id) => ({ id, address: `${id}:1`, incarnation: id, voter: true })),
});

export const EMPTY_STATE: RestoredState = {
  hardState: { term: 0, votedFor: null, commit: 0 },
  snapshot: null,
  headers: [],
  configurations: [],
};

/** Entries that follow `previous`, with terms as given; content differs with `content`. */
export function entriesAfter(
  previous: { index: number; hash: number },
  terms: number[],
  content = '',
): Entry[] {
  let hash = previous.hash;
  return terms.map((term, offset) => {
    const data = new TextEncoder().encode(`${term} ${content}`);
    const entry = entryOf(previous.index + 1 + offset, term, 'command', data, hash);
    hash = entry.chainHash;
    return entry;
  });
}

export function entryOf(
  index: number,
  term: number,
  kind: EntryKind,
  data: Uint8Array,
  previousHash: number,
): Entry {
  const header = { index, term, kind, byteLength: data.length, crc: crc32(data) };
  return { ...header, chainHash: chainHash(previousHash, header), data };
}

/** A node of cluster a, b, c (or as given) whose disk holds the configuration and entries of these terms. */
export function restored(term: number, terms: number[], members = ['a', 'b', 'c']): RestoredState {
  const configuration = configurationOf(...members);
  const first = entryOf(1, 1, 'config', encodeConfiguration(configuration), EMPTY_CHAIN_HASH);
  const headers = [first, ...entriesAfter({ index: 1, hash: first.chainHash }, terms)];
  return {
    hardState: { term, votedFor: null, commit: 1 },
    snapshot: null,
    headers,
    configurations: [{ index: 1, configuration }],
  };
}

type WithoutMoment<T> = T extends unknown ? Omit<T, 'now' | 'random'> : never;

/** One core with nothing around it: what it sends and writes is only noted, writes end when the test says so. */
export class LoneCore {
  now = 1000;
  readonly core: RaftCore;
  readonly sent: { to: string; message: Message }[] = [];
  readonly answers = new Map<number, Answer>();
  readonly halts: string[] = [];
  writes: Persist[] = [];

  constructor(id = 'a', state: RestoredState = EMPTY_STATE) {
    this.core = new RaftCore({ id, timing: TIMING, limits: LIMITS }, state);
    this.step({ type: 'tick' });
  }

  step(input: WithoutMoment<Input>): Output[] {
    const outputs = this.core.step({ ...input, now: this.now, random: 0.5 });
    for (const output of outputs) {
      if (output.type === 'send') this.sent.push(output);
      if (output.type === 'answer') this.answers.set(output.id, output.answer);
      if (output.type === 'persist') this.writes.push(output);
      if (output.type === 'halt') this.halts.push(output.reason);
    }
    return outputs;
  }

  receive(from: string, message: Message): Output[] {
    return this.step({ type: 'message', from, message });
  }

  /** Lets all writes end, also those that follow. */
  store(): void {
    for (let next = this.writes.shift(); next; next = this.writes.shift()) {
      this.step({ type: 'stored', seq: next.seq });
    }
  }

  /** Lets time pass to the next deadline and beyond it. */
  expire(): void {
    this.now = Math.max(this.now, this.core.nextDeadlineMs());
    this.step({ type: 'tick' });
  }

  /** Takes the messages of this type out of what was sent. */
  take<T extends Message['type']>(type: T): { to: string; message: Extract<Message, { type: T }> }[] {
    const taken = this.sent.filter(({ message }) => message.type === type);
    for (const item of taken) this.sent.splice(this.sent.indexOf(item), 1);
    return taken as { to: string; message: Extract<Message, { type: T }> }[];
  }

  get status() {
    return this.core.status(this.now);
  }

  /** Wins an election with the votes of these peers. */
  elect(...voters: string[]): void {
    this.expire();
    for (const { to, message } of this.take('preVote')) {
      if (!voters.includes(to)) continue;
      const { requestId } = message;
      this.receive(to, {
        type: 'preVoteResponse',
        term: message.term - 1,
        requestId,
        granted: true,
        remainingMs: 0,
      });
    }
    this.store();
    for (const { to, message } of this.take('vote')) {
      if (!voters.includes(to)) continue;
      const { term, requestId } = message;
      this.receive(to, { type: 'voteResponse', term, requestId, granted: true, remainingMs: 0 });
    }
  }

  /** The follower acknowledges everything up to `matchIndex`. */
  acknowledge(from: string, matchIndex: number): void {
    const requestId = 0;
    const conflict = { conflictIndex: 0, conflictTerm: 0 };
    this.receive(from, {
      type: 'appendResponse',
      term: this.status.term,
      requestId,
      success: true,
      matchIndex,
      ...conflict,
    });
  }
}
