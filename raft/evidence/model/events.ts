import type { NodeId } from '../../core/configuration.js';
import { crc32 } from '../../core/crc32.js';
import type { Stimulus } from '../../core/inputs.js';
import type { Budget } from './bounds.js';
import type { ClusterState } from './cluster-state.js';
import type { Effect, NodeState, NodeStates } from './node-states.js';
import { NODES } from './starting-points.js';

/** One thing that can happen next. */
export interface Event {
  /** For a report. */
  readonly label: string;
  readonly node: number;
  /** Message that this event consumes. */
  readonly consumes?: number;
  /** What it takes from the budget. */
  readonly costs?: keyof Budget;
  run(): Effect;
}

/** Everything that can happen in this state. */
export function eventsIn(state: ClusterState, states: NodeStates, termMax: number): Event[] {
  const events: Event[] = [];
  const nodes = state.nodes.map((number) => states.state(number));
  for (const node of nodes) addEventsOf(node, state, states, termMax, events);
  let previous = -1;
  for (const number of state.messages) {
    if (number === previous) continue;
    previous = number;
    addDeliveries(number, nodes, state.left, states, events);
  }
  return events;
}

function addEventsOf(
  node: NodeState,
  { left }: ClusterState,
  states: NodeStates,
  termMax: number,
  events: Event[],
): void {
  const { ctx } = node;
  const id = NODES[node.node] as NodeId;
  const ask = (name: string, costs: keyof Budget | undefined, stimuli: readonly Stimulus[]): void => {
    events.push({
      label: `${id}: ${name}`,
      node: node.node,
      ...(costs && { costs }),
      run: () => states.step(node, name, stimuli),
    });
  };
  if (node.writing) {
    events.push({ label: `${id}: its write ends`, node: node.node, run: () => states.store(node) });
  }
  if (left.crashes > 0) {
    for (const kept of node.writing ? [false, true] : [false]) {
      const label = `${id}: crashes${node.writing ? `, its write is ${kept ? 'kept' : 'lost'}` : ''}`;
      events.push({ label, node: node.node, costs: 'crashes', run: () => states.crash(node, kept) });
    }
  }
  if (ctx.role !== 'leader') {
    if (ctx.term < termMax && ctx.mayStand) ask('times out', undefined, campaign(node));
    return;
  }
  if (left.proposals > 0) {
    const data = new Uint8Array([left.proposals]);
    ask(`proposal ${left.proposals}`, 'proposals', [
      { type: 'propose', id: left.proposals, data, crc: crc32(data) },
    ]);
  }
  if (left.heartbeats > 0) ask('sends heartbeats', 'heartbeats', [{ type: 'tick' }]);
  if (left.compactions > 0 && ctx.applied > ctx.log.snapshotIndex) {
    ask('shortens its log', 'compactions', [
      { type: 'compact', index: ctx.applied, data: new Uint8Array(0) },
    ]);
  }
  if (left.changes > 0) addChanges(ask);
}

/** Its timer fires, and all voters grant the pre-vote. A pre-vote binds nobody, so this may happen at any time. */
function campaign({ node, ctx }: NodeState): Stimulus[] {
  // All that matters is that it answers a request of this candidacy.
  const requestId = ctx.lastRequestId + 1;
  const promise = { type: 'preVoteResponse' as const, requestId, granted: true, remainingMs: 0 };
  return [
    { type: 'tick' },
    ...NODES.filter((id) => id !== NODES[node]).map((from) => ({
      type: 'message' as const,
      from,
      message: { ...promise, term: ctx.term },
    })),
  ];
}

function addChanges(ask: (name: string, costs: keyof Budget, stimuli: readonly Stimulus[]) => void): void {
  for (const id of NODES) {
    const add = { type: 'addVoter' as const, id, address: `${id}:1`, incarnation: `disk of ${id}` };
    const replacements = NODES.filter((other) => other !== id).map((other) => {
      const by = { id: other, address: `${other}:1`, incarnation: `disk of ${other}` };
      return { type: 'replace' as const, id, by };
    });
    const changes = [{ type: 'remove' as const, id }, { type: 'demote' as const, id }, add, ...replacements];
    for (const change of changes) {
      const name = change.type === 'replace' ? `replace ${id} by ${change.by.id}` : `${change.type} ${id}`;
      ask(name, 'changes', [
        { type: 'changeMembership', id: 1000, change, expectedIndex: undefined, force: true },
      ]);
    }
  }
}

function addDeliveries(
  number: number,
  nodes: readonly NodeState[],
  left: Budget,
  states: NodeStates,
  events: Event[],
): void {
  const { from, to, message } = states.message(number);
  const receiver = nodes[to] as NodeState;
  const sender = nodes[from] as NodeState;
  const label = `${NODES[to]}: gets ${message.type} of term ${message.term} from ${NODES[from]}`;
  const stimulus: Stimulus = { type: 'message', from: NODES[from] as NodeId, message };
  const run = (): Effect => states.step(receiver, `m${number}`, [stimulus]);
  events.push({ label, node: to, consumes: number, run });
  if (left.duplicates > 0) {
    events.push({ label: `${label}, and will get it again`, node: to, costs: 'duplicates', run });
  }
  if (left.failures > 0 && message.type === 'append') {
    const { requestId } = message;
    events.push({
      label: `${NODES[from]}: its append to ${NODES[to]} is lost`,
      node: from,
      consumes: number,
      costs: 'failures',
      run: () =>
        states.step(sender, `f${to} ${requestId}`, [
          { type: 'requestFailed', to: NODES[to] as NodeId, requestId },
        ]),
    });
  }
}
