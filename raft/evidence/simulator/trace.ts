import type { Input } from '../../core/inputs.js';
import type { Output } from '../../core/outputs.js';
import { describeEvent, type TraceEvent } from './describe-event.js';
import type { ObservedNode, ObservedProcess } from './observed-node.js';

const NONE: readonly Output[] = [];

/** Keeps the latest events for a report, and condenses all events into one number. */
export class Trace {
  /** Equal for equal runs (I23). */
  hash = 0;
  private recent: TraceEvent[] = [];
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
  events(): TraceEvent[] {
    return [...this.recent.slice(this.next), ...this.recent.slice(0, this.next)];
  }

  /** The latest of them as text. */
  lines(last = this.keep): string[] {
    return this.events()
      .slice(-last)
      .flatMap((event) => describeEvent(event));
  }

  /** Overwrites the oldest event, because there is one for each step. */
  private remember(
    atMs: number,
    who: string,
    term: number,
    input: Input | null,
    outputs: readonly Output[],
  ): void {
    if (this.print) describeEvent({ atMs, who, term, input, outputs }).forEach(this.print);
    if (this.recent.length < this.keep) {
      this.recent.push({ atMs, who, term, input, outputs });
      return;
    }
    const oldest = this.recent[this.next] as TraceEvent;
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
