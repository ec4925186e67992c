import type { Input, Message, Output } from '../../core/types.js';
import type { ObservedNode, ObservedProcess } from './observed-node.js';

/** A step of a node, or a note (`input` is null, `who` the text). */
interface Event {
  atMs: number;
  who: string;
  term: number;
  input: Input | null;
  outputs: readonly Output[];
}

const NONE: readonly Output[] = [];

/** Remembers the latest events for a report, and condenses all of them into one number. */
export class Trace {
  /** Equal for equal runs (I23). */
  hash = 0;
  private recent: Event[] = [];
  private next = 0;

  constructor(
    private readonly keep: number,
    private readonly print?: (line: string) => void,
  ) {}

  step(
    atMs: number,
    node: ObservedNode,
    process: ObservedProcess,
    input: Input,
    outputs: readonly Output[],
  ): void {
    const { ctx } = process;
    this.mix(atMs * 1000);
    this.mix(node.slot + input.type.length * 64 + outputs.length * 4096);
    this.mix(ctx.term * 65_536 + ctx.commit);
    this.mix(ctx.log.lastHash);
    this.remember(atMs, node.id, ctx.term, input, outputs);
  }

  note(atMs: number, note: string): void {
    this.remember(atMs, note, 0, null, NONE);
  }

  /** The latest events, oldest first. */
  lines(): string[] {
    return [...this.recent.slice(this.next), ...this.recent.slice(0, this.next)].flatMap(describe);
  }

  /** Writes over the oldest: there is one event for each step. */
  private remember(
    atMs: number,
    who: string,
    term: number,
    input: Input | null,
    outputs: readonly Output[],
  ): void {
    if (this.print) describe({ atMs, who, term, input, outputs }).forEach(this.print);
    if (this.recent.length < this.keep) {
      this.recent.push({ atMs, who, term, input, outputs });
      return;
    }
    const oldest = this.recent[this.next] as Event;
    oldest.atMs = atMs;
    oldest.who = who;
    oldest.term = term;
    oldest.input = input;
    oldest.outputs = outputs;
    this.next = (this.next + 1) % this.keep;
  }

  private mix(value: number): void {
    this.hash = Math.imul(this.hash ^ (value | 0) ^ (value / 2 ** 32), 0x9e3779b1);
    this.hash ^= this.hash >>> 15;
  }
}

function describe(event: Event): string[] {
  const time = event.atMs.toFixed(3).padStart(12);
  if (!event.input) return [`${time} ** ${event.who}`];
  const head = `${time} ${event.who} t${event.term}`;
  return [
    `${head} < ${describeInput(event.input)}`,
    ...event.outputs.map((output) => `${' '.repeat(head.length)} > ${describeOutput(output)}`),
  ];
}

function describeInput(input: Input): string {
  switch (input.type) {
    case 'message':
      return `${input.from}: ${describeMessage(input.message)}`;
    case 'propose':
      return `propose #${input.id} (${input.data.length} B)`;
    case 'compact':
      return `compact to ${input.index}`;
    default: {
      const { now: _now, random: _random, ...rest } = input;
      return JSON.stringify(rest);
    }
  }
}

function describeOutput(output: Output): string {
  switch (output.type) {
    case 'send':
      return `${output.to}: ${describeMessage(output.message)}`;
    case 'persist': {
      const { seq, hardState, truncateFrom, entries, snapshot, resetLog } = output;
      const first = entries[0]?.index;
      const parts = [
        `write ${seq}: t${hardState.term} vote ${hardState.votedFor ?? '-'} commit ${hardState.commit}`,
        truncateFrom === undefined ? '' : `truncate from ${truncateFrom}`,
        first === undefined ? '' : `entries ${first}…${entries.at(-1)?.index}`,
        snapshot ? `snapshot ${snapshot.index}${resetLog ? ' (reset)' : ''}` : '',
      ];
      return parts.filter(Boolean).join(', ');
    }
    case 'restore':
      return `restore snapshot ${output.snapshot.index}`;
    default:
      return JSON.stringify(output);
  }
}

function describeMessage(message: Message): string {
  if (message.type === 'append') {
    const { term, requestId, prevIndex, prevTerm, commit, entries } = message;
    const list = entries.map((entry) => `${entry.index}:t${entry.term}${entry.kind[0]}`).join(' ');
    return `append t${term} r${requestId} prev ${prevIndex}:t${prevTerm} commit ${commit} [${list}]`;
  }
  if (message.type === 'snapshot') {
    const { index, term } = message.snapshot;
    return `snapshot t${message.term} r${message.requestId} ${index}:t${term}`;
  }
  const { type, term, requestId, ...rest } = message;
  return `${type} t${term} r${requestId} ${JSON.stringify(rest)}`;
}
