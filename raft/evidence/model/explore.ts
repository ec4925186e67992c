import { honestHost, type CoreHost } from '../simulator/core-host.js';
import type { Bounds } from './bounds.js';
import { keyOf, type ClusterState } from './cluster-state.js';
import { eventsIn, type Event } from './events.js';
import { NodeStates, type UnderWay } from './node-states.js';
import { Safety, withCommits, withLeader } from './safety.js';
import type { StartingPoint } from './starting-points.js';

export interface Exploration {
  /** Distinct states of the cluster. */
  states: number;
  /** Transitions between them. */
  transitions: number;
  /** Distinct states of single nodes, and steps that cores made to find them. */
  nodeStates: number;
  coreSteps: number;
  /** Events in the longest sequence. */
  depth: number;
  /** Every state within the bounds was visited. */
  complete: boolean;
  /** What is wrong, and the shortest sequence that leads there. */
  violation: { what: string; events: readonly string[] } | null;
}

/** Visits every state that the cluster can reach from here within the bounds, nearest first. */
export function explore(start: StartingPoint, bounds: Bounds, coreHost: CoreHost = honestHost): Exploration {
  const search = new Search(bounds, coreHost);
  return search.run(start);
}

class Search {
  private readonly nodes: NodeStates;
  private readonly safety = new Safety();
  private readonly known = new Set<string>();
  /** The states to visit next. */
  private frontier: { state: ClusterState; at: number }[] = [];
  /** The state before each state, and the event that led from it. */
  private readonly parents: number[] = [];
  private readonly labels: string[] = [];
  private transitions = 0;
  private deepest = 0;
  private termMax = 0;

  constructor(
    private readonly bounds: Bounds,
    coreHost: CoreHost,
  ) {
    this.nodes = new NodeStates(coreHost);
  }

  run({ disks, symmetric }: StartingPoint): Exploration {
    this.termMax = Math.max(...disks.map(({ hardState }) => hardState.term)) + this.bounds.elections;
    const { proposals, crashes, duplicates, failures, heartbeats, changes, compactions } = this.bounds;
    const first: ClusterState = {
      nodes: disks.map((disk, node) => this.nodes.start(node, disk).number),
      messages: [],
      committed: [],
      leaders: [],
      left: { proposals, crashes, duplicates, failures, heartbeats, changes, compactions },
    };
    this.add(first, -1, '');
    for (let depth = 0; depth < this.bounds.depth && this.frontier.length > 0; depth++) {
      const layer = this.frontier;
      this.frontier = [];
      for (const { state, at } of layer) {
        if (this.known.size >= this.bounds.statesMax) return this.result(depth, false, null);
        const violation = this.expand(state, at, symmetric && depth === 0);
        if (violation !== undefined) return this.result(depth + 1, false, violation);
      }
      this.deepest = depth + 1;
    }
    return this.result(this.deepest, true, null);
  }

  private expand(state: ClusterState, at: number, onlyFirstNode: boolean): string | undefined {
    for (const event of eventsIn(state, this.nodes, this.termMax)) {
      if (onlyFirstNode && event.node !== 0) continue;
      this.transitions += 1;
      const next = this.after(state, event);
      if (typeof next === 'string') {
        this.remember(at, event.label);
        return next;
      }
      if (!this.add(next, at, event.label)) continue;
      const nodes = next.nodes.map((number) => this.nodes.state(number));
      const what = this.safety.judge(next, nodes);
      if (what !== undefined) return what;
    }
    return undefined;
  }

  private after(state: ClusterState, event: Event): ClusterState | string {
    const { next: node, sent, failure } = event.run();
    if (failure !== undefined) return failure;
    const before = this.nodes.state(state.nodes[event.node] as number);
    const leaders = withLeader(state.leaders, node, before);
    if (typeof leaders === 'string') return leaders;
    const committed = withCommits(state.committed, node);
    if (typeof committed === 'string') return committed;
    const nodes = [...state.nodes];
    nodes[event.node] = node.number;
    return {
      nodes,
      messages: this.underWay(state.messages, event, sent, nodes),
      committed,
      leaders,
      left: event.costs ? { ...state.left, [event.costs]: state.left[event.costs] - 1 } : state.left,
    };
  }

  /** Messages of a term that is over for their receiver no longer change anything. */
  private underWay(
    messages: readonly number[],
    { consumes }: Event,
    sent: readonly UnderWay[],
    nodes: readonly number[],
  ): number[] {
    const next = [...messages];
    if (consumes !== undefined) next.splice(next.indexOf(consumes), 1);
    for (const { number } of sent) next.push(number);
    return next
      .filter((number) => {
        const { to, message } = this.nodes.message(number);
        return message.term >= this.nodes.state(nodes[to] as number).ctx.term;
      })
      .sort((x, y) => x - y);
  }

  /** False when the state is already known. */
  private add(state: ClusterState, parent: number, label: string): boolean {
    const key = keyOf(state);
    if (this.known.has(key)) return false;
    this.known.add(key);
    this.frontier.push({ state, at: this.labels.length });
    this.remember(parent, label);
    return true;
  }

  private remember(parent: number, label: string): void {
    this.parents.push(parent);
    this.labels.push(label);
  }

  private result(depth: number, complete: boolean, what: string | null): Exploration {
    return {
      states: this.known.size,
      transitions: this.transitions,
      nodeStates: this.nodes.count,
      coreSteps: this.nodes.steps,
      depth,
      complete,
      violation: what === null ? null : { what, events: this.wayToLast() },
    };
  }

  private wayToLast(): string[] {
    const events: string[] = [];
    for (let at = this.labels.length - 1; at > 0; at = this.parents[at] as number) {
      events.unshift(this.labels[at] as string);
    }
    return events;
  }
}
