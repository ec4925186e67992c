import type { Input, Message, Output } from '../core/types.js';
import type { Process, SimulatedNode } from './node.js';

interface Step {
  atMs: number;
  node: string;
  term: number;
  input: Input;
  outputs: readonly Output[];
}
interface Note {
  atMs: number;
  note: string;
}

/** Remembers the latest events for a report, and condenses all of them into one number. */
export class Trace {
  /** Equal for equal runs (I23). */
  hash = 0;
  private recent: (Step | Note)[] = [];
  private next = 0;

  constructor(
    private readonly keep: number,
    private readonly print?: (line: string) => void,
  ) {}

  step(atMs: number, node: SimulatedNode, process: Process, input: Input, outputs: readonly Output[]): void {
    const { ctx } = process;
    this.mix(atMs * 1000);
    this.mix(node.slot + input.type.length * 64 + outputs.length * 4096);
    this.mix(ctx.term * 65_536 + ctx.commit);
    this.mix(ctx.log.lastHash);
    this.remember({ atMs, node: node.id, term: ctx.term, input, outputs });
  }

  note(atMs: number, note: string): void {
    this.remember({ atMs, note });
  }

  /** The latest events, oldest first. */
  lines(): string[] {
    return [...this.recent.slice(this.next), ...this.recent.slice(0, this.next)].flatMap(describe);
  }

  private remember(event: Step | Note): void {
    if (this.print) describe(event).forEach(this.print);
    if (this.recent.length < this.keep) {
      this.recent.push(event);
      return;
    }
    this.recent[this.next] = event;
    this.next = (this.next + 1) % this.keep;
  }

  private mix(value: number): void {
    this.hash = Math.imul(this.hash ^ (value | 0) ^ (value / 2 ** 32), 0x9e3779b1);
    this.hash ^= this.hash >>> 15;
  }
}

function describe(event: Step | Note): string[] {
  const time = event.atMs.toFixed(3).padStart(12);
  if ('note' in event) return [`${time} ** ${event.note}`];
  const head = `${time} ${event.node} t${event.term}`;
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
