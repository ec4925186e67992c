import type { NodeId } from '../configuration.js';
import type { Stimulus } from '../inputs.js';
import type { HeartbeatRequest, HeartbeatResponse, Message } from '../messages.js';
import type { Limits } from '../options.js';
import type { Answer, Output, Persist } from '../outputs.js';
import { RaftCore } from '../raft-core.js';
import { LAN_TIMING, SMALL_LIMITS } from '../../testing/options.js';
import type { RestoredState } from '../stored-state.js';
import { configurationOf, TestLog } from './test-log.js';

export const timing = LAN_TIMING;

export interface CoreHarnessOptions {
  id?: NodeId;
  restored?: RestoredState;
  limits?: Partial<Limits>;
  /** Writes end only when the test says so. */
  slowDisk?: boolean;
  priority?: number;
  /** Identity of its disk; by default that of the test logs. */
  incarnation?: string;
}

/** One core with a clock that the test moves and a disk that is instant by default. */
export class CoreHarness {
  readonly id: NodeId;
  readonly core: RaftCore;
  now = 1000;
  random = 0;
  /** Outputs of the last step and of the writes that it caused. */
  outputs: Output[] = [];
  slowDisk: boolean;
  writing: Persist | undefined;
  private lastId = 0;
  /** Unanswered appends, by peer. */
  private readonly unanswered = new Map<NodeId, number[]>();
  private readonly preVotes = new Map<NodeId, number>();
  /** The last round of heartbeats. */
  round = 0;

  constructor(options: CoreHarnessOptions = {}) {
    this.id = options.id ?? 'a';
    this.slowDisk = options.slowDisk ?? false;
    const restored = options.restored ?? new TestLog(configurationOf(['a', 'b', 'c'])).restored();
    const { priority = 0 } = options;
    this.core = new RaftCore(
      {
        id: this.id,
        incarnation: options.incarnation ?? `disk of ${this.id}`,
        priority,
        timing,
        limits: { ...SMALL_LIMITS, ...options.limits },
      },
      restored,
    );
    this.step({ type: 'tick' });
  }

  /** A node that leads `term` with this log. Its empty entry of the term is not yet committed. */
  static leader(log: TestLog, term: number, options: Omit<CoreHarnessOptions, 'restored'> = {}): CoreHarness {
    const node = new CoreHarness({ ...options, restored: log.restored({ term: term - 1 }) });
    const peers = log.configuration.members.map(({ id }) => id).filter((id) => id !== node.id);
    node.campaign();
    for (const from of peers) node.receive(from, preVoteGranted(term - 1));
    for (const from of peers) {
      if (node.status.role !== 'leader') node.receive(from, voteGranted(term));
    }
    if (node.status.role !== 'leader') throw new Error(`${node.id} does not lead`);
    return node;
  }

  get status() {
    return this.core.status(this.now);
  }

  step(stimulus: Stimulus): Output[] {
    this.outputs = this.core.step({ ...stimulus, now: this.now, random: this.random });
    this.note(this.outputs);
    while (!this.slowDisk && this.writing) this.finishWrite();
    return this.outputs;
  }

  /** The current write becomes durable. */
  finishWrite(): Output[] {
    const { writing } = this;
    if (!writing) throw new Error('nothing is being written');
    this.writing = undefined;
    const before = this.outputs;
    const outputs = this.core.step({ type: 'stored', seq: writing.seq, now: this.now, random: this.random });
    this.outputs = this.slowDisk ? outputs : [...before, ...outputs];
    this.note(outputs);
    return outputs;
  }

  private note(outputs: readonly Output[]): void {
    for (const output of outputs) {
      if (output.type === 'persist') this.writing = output;
      if (output.type !== 'send') continue;
      const { to, message } = output;
      if (message.type === 'heartbeat') this.round = message.round;
      if (message.type === 'preVote') this.preVotes.set(to, message.requestId);
      if (message.type === 'append') this.requestsTo(to).push(message.requestId);
    }
  }

  /** An answer to a pre-vote without a request id answers the last request. */
  receive(from: NodeId, message: Message): Output[] {
    if (message.type !== 'preVoteResponse' || message.requestId !== 0) {
      return this.step({ type: 'message', from, message });
    }
    const requestId = this.preVotes.get(from) ?? 0;
    return this.step({ type: 'message', from, message: { ...message, requestId } });
  }

  /** Moves the clock, and fires the timer if it is due. */
  wait(ms: number): Output[] {
    this.now += ms;
    return this.core.nextDeadlineMs() <= this.now ? this.step({ type: 'tick' }) : (this.outputs = []);
  }

  /** Waits for the node's own deadline. */
  waitForDeadline(): Output[] {
    return this.wait(Math.max(0, this.core.nextDeadlineMs() - this.now));
  }

  /** Waits until the node asks for pre-votes. */
  campaign(): Output[] {
    return this.waitForDeadline();
  }

  propose(text = 'x'): number {
    return this.ask((id) => ({ type: 'propose', id, data: new TextEncoder().encode(text), crc: 0 }));
  }

  /** Makes a request; returns its id. */
  ask(make: (id: number) => Stimulus): number {
    const id = ++this.lastId;
    this.step(make(id));
    return id;
  }

  private requestsTo(peer: NodeId): number[] {
    const requests = this.unanswered.get(peer) ?? [];
    this.unanswered.set(peer, requests);
    return requests;
  }

  /** `from` acknowledges what this leader sent, up to `matchIndex` if given. */
  acknowledge(from: NodeId, matchIndex = this.status.lastIndex): Output[] {
    const { term } = this.status;
    const requests = this.requestsTo(from).splice(0);
    const outputs = (requests.length > 0 ? requests : [0]).flatMap((requestId) =>
      this.receive(from, { ...appended, term, requestId, matchIndex }),
    );
    return (this.outputs = outputs);
  }

  /** `from` refuses the oldest append that it has not answered. */
  refuse(from: NodeId, conflictIndex: number, conflictTerm = 0): Output[] {
    const { term } = this.status;
    const requestId = this.requestsTo(from).shift() ?? 0;
    const refusal = { ...appended, success: false, matchIndex: 0, conflictIndex, conflictTerm };
    return this.receive(from, { ...refusal, term, requestId });
  }

  /** `from` answers a round of heartbeats, by default the last one. */
  confirm(from: NodeId, fields: Partial<HeartbeatResponse> = {}): Output[] {
    return this.receive(from, heartbeatAnswer(this.status.term, { round: this.round, ...fields }));
  }

  sent<T extends Message['type']>(
    type: T,
    outputs = this.outputs,
  ): (Extract<Message, { type: T }> & { to: NodeId })[] {
    return outputs.flatMap((output) =>
      output.type === 'send' && output.message.type === type
        ? [{ ...(output.message as Extract<Message, { type: T }>), to: output.to }]
        : [],
    );
  }

  /** The answer to request `id`, if it is among the last outputs. */
  answer(id: number): Answer | undefined {
    const found = this.outputs.find((output) => output.type === 'answer' && output.id === id);
    return found?.type === 'answer' ? found.answer : undefined;
  }

  /** The reason of a halt, if the core gave up. */
  halted(): string | undefined {
    const found = this.outputs.find((output) => output.type === 'halt');
    return found?.type === 'halt' ? found.reason : undefined;
  }

  terms(): number[] {
    const terms: number[] = [];
    for (let index = this.status.snapshotIndex + 1; index <= this.status.lastIndex; index++) {
      terms.push(this.core.termAt(index) as number);
    }
    return terms;
  }
}

export const preVoteGranted = (term: number): Message => ({
  type: 'preVoteResponse',
  term,
  requestId: 0,
  granted: true,
  remainingMs: 0,
});

export const preVoteRefused = (term: number, remainingMs: number): Message =>
  ({ ...preVoteGranted(term), granted: false, remainingMs }) as Message;

export const voteGranted = (term: number): Message =>
  ({ ...preVoteGranted(term), type: 'voteResponse' }) as Message;

export const appended = {
  type: 'appendResponse' as const,
  requestId: 0,
  success: true,
  conflictIndex: 0,
  conflictTerm: 0,
};

export const heartbeat = (term: number, fields: Partial<HeartbeatRequest> = {}): HeartbeatRequest => ({
  type: 'heartbeat',
  term,
  requestId: 1,
  round: 1,
  commit: 0,
  electionTimeoutMs: timing.electionTimeoutMs,
  acknowledged: 0,
  logHash: undefined,
  transfersEnded: 0,
  rank: 0,
  ...fields,
});

export const heartbeatAnswer = (
  term: number,
  fields: Partial<HeartbeatResponse> = {},
): HeartbeatResponse => ({
  type: 'heartbeatResponse',
  term,
  requestId: 0,
  round: 1,
  lastIndex: 0,
  eligibility: 1,
  priority: 0,
  reverted: false,
  ...fields,
});
