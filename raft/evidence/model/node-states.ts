import type { Configuration, NodeId } from '../../core/configuration.js';
import { CoreContext } from '../../core/context.js';
import type { Stimulus } from '../../core/inputs.js';
import type { Message } from '../../core/messages.js';
import type { CoreOptions } from '../../core/options.js';
import type { Output, Persist } from '../../core/outputs.js';
import type { RaftCore } from '../../core/raft-core.js';
import type { RestoredState } from '../../core/stored-state.js';
import { quorumsOf } from '../checks/quorums.js';
import { SimulatedDisk } from '../simulator/disk.js';
import { coreState, type CoreHost } from '../simulator/core-host.js';
import { copyOf, textOf } from './copy-core.js';
import { NODES } from './starting-points.js';

/** A log as elections see it: its owner may stand with it, or refuse others because of it. */
export interface LogView {
  lastTerm: number;
  lastIndex: number;
  /** Sets of voters that must each supply a majority. */
  quorums: readonly (readonly NodeId[])[];
  hashAt(index: number): number | undefined;
}

/** One state of one node. Immutable: steps are taken on a copy. */
export interface NodeState {
  readonly number: number;
  readonly node: number;
  readonly core: RaftCore;
  readonly ctx: CoreContext;
  readonly disk: SimulatedDisk;
  readonly writing: Persist | null;
  /** What remains after a crash, and what is in memory. */
  readonly durable: LogView;
  readonly volatile: LogView;
}

export interface UnderWay {
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly message: Message;
}

/** What one step of one node led to. */
export interface Effect {
  readonly next: NodeState;
  readonly sent: readonly UnderWay[];
  /** The core gave up or threw. */
  readonly failure: string | undefined;
}

const TIMING: CoreOptions['timing'] = {
  heartbeatIntervalMs: 1,
  // Nobody steps down because of silence: time does not advance.
  electionTimeoutMs: 1,
  rankSlotMs: 0,
  jitterMs: 0,
  leaseTimeoutMs: 1e9,
  requestTimeoutMs: 1e9,
  transferTimeoutMs: 1e9,
};

const LIMITS: CoreOptions['limits'] = {
  uncommittedBytesMax: 1e9,
  uncommittedEntriesMax: 1e9,
  inflightRequestsMax: 1,
  inflightBytesMax: 1e9,
  // One entry with data in each append.
  appendBytesMax: 0,
  cacheBytesMax: 1e9,
};

/** Their content does not affect safety, and they may always be lost. */
function isOfNoConsequence(message: Message): boolean {
  switch (message.type) {
    case 'preVote':
    case 'preVoteResponse':
    case 'heartbeatResponse':
      return true;
    case 'voteResponse':
      return !message.granted;
    case 'heartbeat':
      return message.commit <= 1;
    default:
      return false;
  }
}

/**
 * All distinct node states and messages of the exploration. Most events of a cluster concern one node, and most cluster
 * states consist of known node states, so each step is computed only once.
 */
export class NodeStates {
  private readonly states: NodeState[] = [];
  private readonly stateByText = new Map<string, NodeState>();
  private readonly messages: UnderWay[] = [];
  private readonly messageByText = new Map<string, UnderWay>();
  private readonly effects = new Map<string, Effect>();
  /** Steps that the core really computed. */
  steps = 0;

  constructor(private readonly coreHost: CoreHost) {}

  get count(): number {
    return this.states.length;
  }

  state(number: number): NodeState {
    return this.states[number] as NodeState;
  }

  message(number: number): UnderWay {
    return this.messages[number] as UnderWay;
  }

  start(node: number, restored: RestoredState): NodeState {
    const disk = new SimulatedDisk();
    disk.apply({
      type: 'persist',
      seq: 0,
      hardState: restored.hardState,
      truncateFrom: undefined,
      entries: restored.headers as never,
      snapshot: undefined,
      resetLog: false,
    });
    return this.boot(node, disk).next;
  }

  /** The node processes one input. A repeated question is answered without a step. */
  step(state: NodeState, question: string, stimuli: readonly Stimulus[]): Effect {
    return this.once(`${state.number} ${question}`, () => {
      const core = copyOf(state.core);
      return this.run(state.node, core, copyOfDisk(state.disk), state.writing, stimuli);
    });
  }

  /** The current write ends. */
  store(state: NodeState): Effect {
    return this.once(`${state.number} stored`, () => {
      const disk = copyOfDisk(state.disk);
      const { writing } = state;
      if (!writing) throw new Error('nothing is being written');
      disk.apply(writing);
      const stored = { type: 'stored' as const, seq: writing.seq };
      return this.run(state.node, copyOf(state.core), disk, null, [stored]);
    });
  }

  /** The process dies and another starts on the same disk. */
  crash(state: NodeState, keepingTheWrite: boolean): Effect {
    return this.once(`${state.number} crash ${keepingTheWrite}`, () => {
      const disk = copyOfDisk(state.disk);
      if (keepingTheWrite && state.writing) disk.apply(state.writing);
      return this.boot(state.node, disk);
    });
  }

  private boot(node: number, disk: SimulatedDisk): Effect {
    const id = NODES[node] as NodeId;
    const options = { id, incarnation: `disk of ${id}`, timing: TIMING, limits: LIMITS };
    const core = this.coreHost.createCore(options, disk.restore());
    return this.run(node, core, disk, null, [{ type: 'tick' }]);
  }

  private once(question: string, ask: () => Effect): Effect {
    let effect = this.effects.get(question);
    if (!effect) {
      effect = ask();
      this.effects.set(question, effect);
    }
    return effect;
  }

  private run(
    node: number,
    core: RaftCore,
    disk: SimulatedDisk,
    writing: Persist | null,
    stimuli: readonly Stimulus[],
  ): Effect {
    const sent: UnderWay[] = [];
    let failure: string | undefined;
    const ctx = coreState(core);
    const take = (stimulus: Stimulus): void => {
      this.steps += 1;
      for (const output of core.step({ ...stimulus, now: 0, random: 0 })) carryOut(output);
    };
    const carryOut = (output: Output): void => {
      if (output.type === 'persist') writing = output;
      if (output.type === 'halt') failure = `${NODES[node]} halts: ${output.reason}`;
      if (output.type === 'send' && !isOfNoConsequence(output.message)) {
        const to = NODES.indexOf(output.to as (typeof NODES)[number]);
        sent.push(this.internMessage(node, to, withData(output.message, disk)));
      }
    };
    try {
      for (const stimulus of stimuli) take(stimulus);
      // The application applies instantly.
      if (ctx.applied < ctx.commit) take({ type: 'applied', index: ctx.commit });
    } catch (error) {
      failure = `${NODES[node]} crashes: ${(error as Error).message}`;
    }
    // Answers to an earlier leadership are recognized by their term, so request numbers may start over.
    if (ctx.role !== 'leader') ctx.lastRequestId = 0;
    return { next: this.internState(node, core, disk, writing), sent, failure };
  }

  private internState(node: number, core: RaftCore, disk: SimulatedDisk, writing: Persist | null): NodeState {
    const ctx = coreState(core);
    const text = `${node} ${textOf(ctx)} ${textOf(disk)} ${textOf(writing)}`;
    const known = this.stateByText.get(text);
    if (known) return known;
    const state: NodeState = {
      number: this.states.length,
      node,
      core,
      ctx,
      disk,
      writing,
      durable: durableView(disk),
      volatile: volatileView(ctx),
    };
    this.states.push(state);
    this.stateByText.set(text, state);
    return state;
  }

  private internMessage(from: number, to: number, message: Message): UnderWay {
    const isNumbered = message.type === 'append' || message.type === 'appendResponse';
    const plain = isNumbered ? message : { ...message, requestId: 0 };
    const text = `${from} ${to} ${textOf(plain)}`;
    let underWay = this.messageByText.get(text);
    if (!underWay) {
      underWay = { number: this.messages.length, from, to, message: plain };
      this.messages.push(underWay);
      this.messageByText.set(text, underWay);
    }
    return underWay;
  }
}

/** A restarted node has its entries only on disk. The runtime reads them when it sends. */
function withData(message: Message, disk: SimulatedDisk): Message {
  if (message.type === 'snapshot') {
    return { ...message, snapshot: { ...message.snapshot, data: new Uint8Array(0) } };
  }
  if (message.type !== 'append') return message;
  const entries = message.entries.map((entry) => ({
    ...entry,
    data: entry.data ?? disk.entry(entry.index)?.data,
  }));
  return { ...message, entries };
}

const idsOf = (configuration: Configuration): NodeId[][] =>
  quorumsOf(configuration).map((voters) => voters.map(({ id }) => id));

function copyOfDisk(disk: SimulatedDisk): SimulatedDisk {
  const copy = new SimulatedDisk();
  copy.hardState = disk.hardState;
  copy.snapshot = disk.snapshot;
  copy['entries'] = [...disk['entries']];
  return copy;
}

function durableView(disk: SimulatedDisk): LogView {
  const { headers, configurations, snapshot } = disk.restore();
  const configuration = configurations.at(-1) ?? snapshot?.configuration;
  return {
    lastTerm: headers.at(-1)?.term ?? snapshot?.term ?? 0,
    lastIndex: disk.lastIndex,
    quorums: configuration ? idsOf(configuration.configuration) : [[]],
    hashAt: (index) => disk.hashAt(index),
  };
}

function volatileView({ log, configurations }: CoreContext): LogView {
  return {
    lastTerm: log.lastTerm,
    lastIndex: log.lastIndex,
    quorums: idsOf(configurations.latest.configuration),
    hashAt: (index) => log.hashAt(index),
  };
}
