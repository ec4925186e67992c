import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { crc32 } from 'node:zlib';
import type { Logger } from 'pino';
import { RaftCore, type CoreStatus } from '../core/raft-core.js';
import type {
  Answer,
  CoreEvent,
  Input,
  Limits,
  LoadedEntry,
  Member,
  MembershipChange,
  Message,
  NodeId,
  Output,
  RequestMessage,
  ResponseMessage,
  Timing,
} from '../core/types.js';
import type { Identity, Storage } from '../storage/storage.js';
import { compactionTarget, type Retention } from './compaction.js';
import type { Outcome } from './outcomes.js';
import type { StateMachine } from './state-machine.js';
import { WakeUpTimer } from './wake-up-timer.js';

/** The part of the transport that the node uses; http-transport.ts is the one for production. */
export interface NodeTransport {
  start(): Promise<{ host: string; port: number }>;
  stop(): Promise<void>;
  setPeers(members: readonly Member[]): void;
  send(to: NodeId, message: RequestMessage): Promise<ResponseMessage>;
  probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'>;
}

export interface RaftNodeOptions<Result> {
  nodeId: NodeId;
  timing: Timing;
  limits: Limits;
  retention: Retention;
  storage: Storage;
  stateMachine: StateMachine<Result>;
  logger: Logger;
  /** The node can not go on: storage failed or an invariant broke. The process must end. */
  onFatal(error: Error): void;
}

type WithoutMoment<T> = T extends unknown ? Omit<T, 'now' | 'random'> : never;
type Stimulus = WithoutMoment<Input>;

type Respond = (response: ResponseMessage) => void;

/** Probes of a leader whose connection closed: its listening socket may close a moment after the others. */
const PROBE_DELAYS_MS = [0, 5, 20, 50];

interface RaftNodeEvents {
  /** Role, term, leader or readiness changed. */
  role: [event: Extract<CoreEvent, { type: 'role' }>];
  leaderReady: [];
  configuration: [event: Extract<CoreEvent, { type: 'configuration' }>];
  /** Entries were applied up to this index. */
  applied: [index: number];
}

/**
 * One running node: gives the pure core its clock, disk and network, and the application its commits.
 */
export class RaftNode<Result> extends EventEmitter<RaftNodeEvents> {
  readonly nodeId: NodeId;
  private readonly logger: Logger;
  private core: RaftCore | undefined;
  private transport: NodeTransport | undefined;
  private identityFound: Identity | undefined;
  private readonly timer: WakeUpTimer;
  private readonly queue: Stimulus[] = [];
  private pumping = false;
  private stopped = false;

  private members: readonly Member[] = [];
  private lastRequest = 0;
  private readonly requests = new Map<number, (answer: Answer) => void>();
  private readonly responders = new Map<string, Respond>();

  private commitIndex = 0;
  private appliedIndex = 0;
  private applying = false;
  private compacting = false;
  /** Grows when a snapshot replaces the state, so that a running apply loop notices. */
  private stateVersion = 0;
  private readonly results = new Map<number, Result>();
  private appliedWaiters: { index: number; wake: () => void }[] = [];

  constructor(private readonly options: RaftNodeOptions<Result>) {
    super();
    this.nodeId = options.nodeId;
    this.logger = options.logger;
    this.timer = new WakeUpTimer(
      () => performance.now(),
      (lateMs) => {
        const line = { lateMs: Math.round(lateMs) };
        if (lateMs >= options.timing.electionTimeoutMs / 2) this.logger.warn(line, 'event loop stood still');
        else this.logger.debug(line, 'event loop stood still');
        this.deliver({ type: 'stalled', forMs: lateMs });
      },
      () => this.deliver({ type: 'tick' }),
      Math.max(25, options.timing.heartbeatIntervalMs / 2),
    );
  }

  /** Opens the disk and rebuilds the state; the network comes with `start`. @throws StorageError */
  async open(): Promise<Identity> {
    const { identity, state } = await this.options.storage.open(this.nodeId);
    this.identityFound = identity;
    const core = new RaftCore(
      { id: this.nodeId, timing: this.options.timing, limits: this.options.limits },
      state,
    );
    this.core = core;
    const snapshot = await this.options.storage.readSnapshot();
    if (snapshot) this.options.stateMachine.restore(snapshot);
    const status = core.status(performance.now());
    this.appliedIndex = status.snapshotIndex;
    this.commitIndex = status.commitIndex;
    await this.applyCommitted();
    return identity;
  }

  async start(transport: NodeTransport): Promise<{ host: string; port: number }> {
    this.transport = transport;
    const bound = await transport.start();
    this.connect(this.status().configuration.configuration.members);
    this.deliver({ type: 'tick' });
    return bound;
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.timer.stop();
    for (const settle of this.requests.values()) settle({ outcome: 'unknown', reason: 'this node stopped' });
    this.requests.clear();
    for (const waiter of this.appliedWaiters) waiter.wake();
    await this.transport?.stop();
    await this.options.storage.close();
  }

  get identity(): Identity {
    if (!this.identityFound) throw new Error('the node is not open');
    return this.identityFound;
  }

  status(): CoreStatus {
    return this.running.status(performance.now());
  }

  /** True while this node leads and an entry of its own term is committed: only then it knows the whole log. */
  get isReadyLeader(): boolean {
    return this.core?.role === 'leader' && this.status().ready;
  }

  /** Founds a cluster of these members; `rejected` when the disk is not empty. */
  async bootstrap(members: readonly Member[]): Promise<Outcome<object>> {
    await this.adoptCluster(randomBytes(16).toString('hex'));
    return this.ask((id) => ({ type: 'bootstrap', id, configuration: { members } }));
  }

  /** Becomes part of a cluster for good. @throws StorageError when the disk belongs to another */
  async adoptCluster(clusterId: string): Promise<void> {
    if (this.identity.clusterId === clusterId) return;
    await this.options.storage.setClusterId(clusterId);
    this.identityFound = { ...this.identity, clusterId };
    this.logger.info({ clusterId }, 'joined a cluster');
  }

  /** Commits a command and returns what the state machine made of it. */
  async propose(data: Uint8Array): Promise<Outcome<{ result: Result }>> {
    const answer = await this.ask((id) => ({ type: 'propose', id, data, crc: crc32(data) }));
    if (answer.outcome !== 'done') return answer;
    await this.whenApplied(answer.index);
    const result = this.results.get(answer.index);
    this.results.delete(answer.index);
    if (result === undefined) return { outcome: 'unknown', reason: 'this node stopped' };
    return { ...answer, result };
  }

  /** Waits until everything that was committed anywhere before the call is applied here. Leader only. */
  async readBarrier(): Promise<Outcome<object>> {
    const answer = await this.ask((id) => ({ type: 'read', id }));
    if (answer.outcome === 'done') await this.whenApplied(answer.index);
    return answer;
  }

  transferLeadership(to?: NodeId): Promise<Outcome<object>> {
    return this.ask((id) => ({ type: 'transfer', id, to }));
  }

  changeMembership(change: MembershipChange, expectedIndex?: number): Promise<Outcome<object>> {
    return this.ask((id) => ({ type: 'changeMembership', id, change, expectedIndex }));
  }

  /** How fit this node is to lead, 0 is unfit; travels to the leader with every heartbeat. */
  setEligibility(value: number): void {
    this.deliver({ type: 'eligibility', value });
  }

  /** Entries from the log, also those no longer in memory. Fewer when `maxBytes` is reached. */
  async readEntries(from: number, to: number, maxBytes: number): Promise<LoadedEntry[]> {
    const cached: LoadedEntry[] = [];
    let bytes = 0;
    for (let index = from; index <= to; index++) {
      const entry = this.running.entry(index);
      if (!entry?.data) break;
      if (cached.length > 0 && bytes + entry.byteLength > maxBytes) break;
      bytes += entry.byteLength;
      cached.push({ ...entry, data: entry.data });
    }
    return cached.length > 0 ? cached : this.options.storage.readEntries(from, to, maxBytes);
  }

  // ------------------------------------------------------------ from the network

  receive(from: NodeId, message: RequestMessage, respond: Respond): void {
    if (this.stopped) return;
    const key = `${from} ${message.type} ${message.requestId}`;
    this.responders.set(key, respond);
    // Some requests are never answered (a held answer of a term that is over); they must not pile up.
    if (this.responders.size > 1024) this.responders.delete(this.responders.keys().next().value as string);
    this.deliver({ type: 'message', from, message });
  }

  /** The leader's process may be dead: ask its host. Only a refused connection proves it (raft.md §5.5). */
  async peerDisconnected(peer: NodeId): Promise<void> {
    for (const delayMs of PROBE_DELAYS_MS) {
      if (this.stopped || this.status().leader !== peer || !this.transport) return;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      const found = await this.transport.probe(peer).catch(() => 'unknown' as const);
      if (found !== 'gone') continue;
      this.logger.info({ peer }, 'the leader process is gone');
      this.deliver({ type: 'peerGone', peer });
      return;
    }
  }

  // ------------------------------------------------------------ the pump

  private get running(): RaftCore {
    if (!this.core) throw new Error('the node is not open');
    return this.core;
  }

  private ask(make: (id: number) => Stimulus): Promise<Answer> {
    if (this.stopped) return Promise.resolve({ outcome: 'unknown', reason: 'this node stopped' });
    const id = ++this.lastRequest;
    return new Promise((resolve) => {
      this.requests.set(id, resolve);
      this.deliver(make(id));
    });
  }

  private deliver(stimulus: Stimulus): void {
    if (this.stopped || !this.core || !this.transport) return;
    this.queue.push(stimulus);
    if (this.pumping) return;
    this.pumping = true;
    try {
      for (let next = this.queue.shift(); next; next = this.queue.shift()) {
        const input = { ...next, now: performance.now(), random: Math.random() };
        for (const output of this.core.step(input)) this.carryOut(output);
      }
    } catch (error) {
      this.fatal(error as Error);
    } finally {
      this.pumping = false;
    }
    this.timer.set(this.core.nextDeadlineMs());
  }

  private carryOut(output: Output): void {
    switch (output.type) {
      case 'persist':
        this.options.storage.write(output).then(
          () => this.deliver({ type: 'stored', seq: output.seq }),
          (error: Error) => this.fatal(error),
        );
        return;
      case 'send':
        return this.send(output.to, output.message);
      case 'commit':
        this.commitIndex = output.index;
        void this.applyCommitted().catch((error: Error) => this.fatal(error));
        return;
      case 'restore':
        this.stateVersion += 1;
        this.options.stateMachine.restore(output.snapshot);
        this.commitIndex = output.snapshot.index;
        this.appliedIndex = output.snapshot.index;
        this.wakeApplied();
        return;
      case 'answer': {
        const settle = this.requests.get(output.id);
        this.requests.delete(output.id);
        settle?.(output.answer);
        return;
      }
      case 'event':
        return this.onCoreEvent(output.event);
      case 'halt':
        return this.fatal(new Error(`raft invariant broken: ${output.reason}`));
    }
  }

  private send(to: NodeId, message: Message): void {
    switch (message.type) {
      case 'preVoteResponse':
      case 'voteResponse':
      case 'appendResponse':
      case 'heartbeatResponse':
      case 'snapshotResponse':
      case 'timeoutNowResponse': {
        const key = `${to} ${message.type.replace('Response', '')} ${message.requestId}`;
        const respond = this.responders.get(key);
        this.responders.delete(key);
        respond?.(message);
        return;
      }
      default:
        void this.request(to, message).then(
          (response) => this.deliver({ type: 'message', from: to, message: response }),
          () => this.deliver({ type: 'requestFailed', to, requestId: message.requestId }),
        );
    }
  }

  private async request(to: NodeId, message: RequestMessage): Promise<ResponseMessage> {
    const transport = this.transport;
    if (!transport) throw new Error('not started');
    const complete = isComplete(message) ? message : await this.withData(message);
    return transport.send(to, complete);
  }

  /** Fetches what the core no longer has in memory. The log may have been cut since: then the message is void (bug 28). */
  private async withData(message: RequestMessage): Promise<RequestMessage> {
    if (message.type === 'snapshot') {
      const snapshot = await this.options.storage.readSnapshot();
      if (snapshot?.index !== message.snapshot.index) throw new Error('the snapshot was replaced');
      return { ...message, snapshot };
    }
    if (message.type !== 'append') return message;
    const entries: LoadedEntry[] = [];
    for (const entry of message.entries) {
      const data =
        entry.data ?? (await this.options.storage.readEntries(entry.index, entry.index, 0))[0]?.data;
      if (!data || this.running.entry(entry.index)?.term !== entry.term) throw new Error('the log was cut');
      entries.push({ ...entry, data });
    }
    return { ...message, entries };
  }

  private onCoreEvent(event: CoreEvent): void {
    switch (event.type) {
      case 'role':
        this.logger.info(
          { role: event.role, term: event.term, leader: event.leader, reason: event.reason },
          'role changed',
        );
        this.emit('role', event);
        return;
      case 'leaderReady':
        this.logger.info({ term: event.term, index: event.index }, 'leadership complete');
        this.emit('leaderReady');
        return;
      case 'configuration':
        this.logger.info(
          { index: event.index, members: event.configuration.members, reason: event.reason },
          'membership changed',
        );
        this.connect(event.configuration.members);
        this.emit('configuration', event);
        return;
      case 'electionStarted':
        this.logger.info(
          { term: event.term, prevote: event.prevote, reason: event.reason },
          'stands for election',
        );
        return;
      case 'snapshotInstalled':
        this.logger.info({ index: event.index, from: event.from }, 'snapshot installed');
        return;
    }
  }

  /** Those who just left stay connected until the next change: they must learn that they left. */
  private connect(members: readonly Member[]): void {
    const others = members.filter((member) => member.id !== this.nodeId);
    const gone = this.members.filter((old) => !others.some((member) => member.id === old.id));
    this.transport?.setPeers([...others, ...gone]);
    this.members = others;
  }

  // ------------------------------------------------------------ apply and compact

  private async applyCommitted(): Promise<void> {
    if (this.applying) return;
    this.applying = true;
    try {
      while (this.appliedIndex < this.commitIndex && !this.stopped) {
        const index = this.appliedIndex + 1;
        const version = this.stateVersion;
        let entry = this.running.entry(index);
        if (entry?.data === undefined) {
          const [loaded] = await this.options.storage.readEntries(index, index, 0);
          if (version !== this.stateVersion) continue;
          entry = loaded;
        }
        if (!entry) throw new Error(`committed entry ${index} is not on disk`);
        this.apply(entry as LoadedEntry);
      }
    } finally {
      this.applying = false;
    }
    this.deliver({ type: 'applied', index: this.appliedIndex });
    this.wakeApplied();
    this.emit('applied', this.appliedIndex);
    void this.compactIfDue().catch((error: Error) => this.fatal(error));
  }

  private apply(entry: LoadedEntry): void {
    if (entry.kind === 'command') {
      const result = this.options.stateMachine.apply(entry);
      // Only a leader has someone who waits for the result.
      if (this.core?.role === 'leader') this.results.set(entry.index, result);
      else this.results.clear();
    }
    this.appliedIndex = entry.index;
  }

  private whenApplied(index: number): Promise<void> {
    if (this.appliedIndex >= index) return Promise.resolve();
    return new Promise((wake) => this.appliedWaiters.push({ index, wake }));
  }

  private wakeApplied(): void {
    const ready = this.appliedWaiters.filter((waiter) => waiter.index <= this.appliedIndex);
    this.appliedWaiters = this.appliedWaiters.filter((waiter) => waiter.index > this.appliedIndex);
    for (const waiter of ready) waiter.wake();
  }

  private async compactIfDue(): Promise<void> {
    if (this.compacting || this.stopped) return;
    const index = compactionTarget(this.running, this.appliedIndex, this.options.retention);
    if (index === undefined) return;
    this.compacting = true;
    try {
      const version = this.stateVersion;
      const data = await this.options.stateMachine.snapshotAt(index, async (at) => {
        const [entry] = await this.readEntries(at, at, 0);
        if (!entry) throw new Error(`entry ${at} is not in the log`);
        return entry;
      });
      if (version === this.stateVersion) this.deliver({ type: 'compact', index, data });
    } finally {
      this.compacting = false;
    }
  }

  private fatal(error: Error): void {
    if (this.stopped) return;
    this.stopped = true;
    this.timer.stop();
    this.logger.fatal({ err: error }, 'this node can not go on');
    this.options.onFatal(error);
  }
}

function isComplete(message: RequestMessage): boolean {
  if (message.type === 'snapshot') return message.snapshot.data !== undefined;
  return message.type !== 'append' || message.entries.every((entry) => entry.data !== undefined);
}
