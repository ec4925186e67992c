import type { NodeId } from '../../../core/configuration.js';
import type { Input } from '../../../core/inputs.js';
import type { Answer, CoreEvent, Output } from '../../../core/outputs.js';
import { followsThePaper } from '../../paper/follows-the-paper.js';
import type { CoreHost } from '../../simulator/core-host.js';
import type { Process } from '../../simulator/machine.js';
import type { SimulatedNode } from '../../simulator/node.js';
import { Trace } from '../../simulator/trace.js';
import { World } from '../../simulator/world.js';
import { calmOptions, type ClusterOptions } from './calm-options.js';
import type { Rule } from './messages.js';
import { ScenarioNode } from './node.js';

/** All events, because the story is told at the end. */
const EVENTS_KEPT = Infinity;

/**
 * The simulator's world, with a director instead of chance. All invariants are checked after every event, and every step
 * against the paper.
 */
export class ScenarioWorld extends World {
  readonly answers = new Map<number, Answer>();
  readonly events: { node: NodeId; event: CoreEvent }[] = [];
  readonly rules: Rule[] = [];
  readonly actors: readonly ScenarioNode[];

  constructor(options: ClusterOptions, coreHost: CoreHost) {
    super(1, calmOptions(options), coreHost, new Trace(EVENTS_KEPT), [followsThePaper()]);
    this.actors = this.nodes.map((node) => new ScenarioNode(this, node));
    const deliver = this.network.send.bind(this.network);
    this.network.send = (from, process, to, message) => {
      const rule = this.rules.find((candidate) => candidate.matches(from.id, to, message));
      if (!rule) return deliver(from, process, to, message);
      rule.catch({ from: this.nodeOf(from.id), to: this.nodeOf(to), message });
      if (rule.copies === 0) this.lose(from, to, () => deliver(from, process, to, message));
      for (let copy = 0; copy < rule.copies; copy++) deliver(from, process, to, message);
    };
  }

  /** What the director does is part of the story. */
  note(text: string): void {
    this.trace.note(this.queue.nowMs, text);
  }

  nodeOf(id: NodeId): ScenarioNode {
    const found = this.actors.find((actor) => actor.id === id);
    if (!found) throw new Error(`no node is called ${id}`);
    return found;
  }

  override stepped(node: SimulatedNode, process: Process, input: Input, outputs: readonly Output[]): void {
    for (const output of outputs) {
      if (output.type === 'answer') this.answers.set(output.id, output.answer);
      if (output.type === 'event') this.events.push({ node: node.id, event: output.event });
    }
    super.stepped(node, process, input, outputs);
  }

  /** Sends into a cut link: the sender waits for its deadline, as with any lost message. */
  private lose(from: SimulatedNode, to: NodeId, send: () => void): void {
    const target = this.node(to);
    const wasCut = this.network.isCut(from, target);
    this.network.cutLink(from, target);
    send();
    if (!wasCut) this.network.mendLink(from, target);
  }
}
