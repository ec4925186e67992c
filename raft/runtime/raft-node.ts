import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { crc32 } from 'node:zlib';
import type { Logger } from 'pino';
import { RaftCore, type CoreStatus } from '../core/raft-core.js';
import { clusterTimingOf } from '../core/timing.js';
import type {
  Answer,
  ClusterTiming,
  CoreEvent,
  Input,
  Limits,
  LoadedEntry,
  Member,
  MembershipChange,
  Message,
  NodeId,
  Output,
  Persist,
  RequestMessage,
  ResponseMessage,
  SnapshotRequest,
  Timing,
} from '../core/types.js';
import { StorageError } from '../storage/errors.js';
import type { Identity, Storage } from '../storage/storage.js';
import { RECEIVED_SNAPSHOT_BYTES_MAX, type SnapshotSource } from '../storage/snapshot-stream.js';
import type { Respond } from '../transport/http-transport.js';
import type { SnapshotChunkRequest } from '../transport/wire-message.js';
import { Applier } from './applier.js';
import { compactionTarget, type Retention } from './compaction.js';
import { isComplete, withData } from './complete-message.js';
import { Exchanges } from './exchanges.js';
import { logCoreEvent } from './log-core-event.js';
import { LogReader } from './log-reader.js';
import type { Outcome } from './outcomes.js';
import type { StateMachine } from './state-machine.js';
import { TimingWatch } from './timing-watch.js';
import { WakeUpTimer } from './wake-up-timer.js';
import { WriteWatch } from './write-watch.js';

/** The part of the transport that the node uses; http-transport.ts is the one for production. */
export interface NodeTransport {
  start(): Promise<{ host: string; port: number }>;
  stop(): Promise<void>;
  setPeers(members: readonly Member[]): void;
  send(to: NodeId, message: RequestMessage): Promise<ResponseMessage>;
  /** Brings the data of a snapshot to the peer, as far as it lacks them, and then the message. */
  sendSnapshot(
    to: NodeId,
    message: SnapshotRequest,
    source: SnapshotSource,
    signal: AbortSignal,
  ): Promise<ResponseMessage>;
  probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'>;
}

export interface RaftNodeOptions<Result> {
  nodeId: NodeId;
  /** Preference of this node as leader among equally fit ones: an integer below 2^32, greater is better. */
  priority: number;
  /** Believe proof that the leader's process is gone; the lease is advisory then, since loyalty to a leader ends early. */
  crashEvidence: boolean;
  /** The clockwork of a cluster that this node founds; in another it goes by that of the cluster. */
  timing: Timing;
  limits: Limits;
  retention: Retention;
  /** A write to `storage` that has not ended by then is a failure of the disk; 30 s unless given. */
  writeLimitMs?: number;
  storage: Storage;
  stateMachine: StateMachine<Result>;
  logger: Logger;
  /** The node can not go on: storage failed or an invariant broke. The process must end. */
  onFatal(error: Error): void;
}

type WithoutMoment<T> = T extends unknown ? Omit<T, 'now' | 'random'> : never;
type Stimulus = WithoutMoment<Input>;

interface Queued {
  stimulus: Stimulus;
  /** For a peer's request. */
  respond: Respond | undefined;
}

/** How the core, or a node that does not run, answers a request. */
type Settled = Answer | { outcome: 'rejected'; reason: 'stopped' };

/** Probes of a leader whose connection closed: its listening socket may close a moment after the others. */
const PROBE_DELAYS_MS = [0, 5, 20, 50];

const WRITE_LIMIT_MS = 30_000;

const STOPPED = { outcome: 'unknown', reason: 'this node stopped' } as const;

interface RaftNodeEvents {
  /** Role, term, leader or readiness changed. */
  role: [event: Extract<CoreEvent, { type: 'role' }>];
  leaderReady: [];
  configuration: [event: Extract<CoreEvent, { type: 'configuration' }>];
  /** Entries were applied up to this index. */
  applied: [index: number];
  // For those who count and measure:
  electionStarted: [event: Extract<CoreEvent, { type: 'electionStarted' }>];
  /** So many more entries are committed. */
  committed: [entries: number];
  /** A synced write of the log has ended. */
  stored: [durationMs: number];
  /** A command of this node is committed and applied. */
  proposed: [took: { replicateMs: number; applyMs: number }];
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
  private readonly timingWatch: TimingWatch;
  private readonly writeWatch: WriteWatch;
  private readonly log: LogReader;
  private readonly applier: Applier<Result>;
  private readonly queue: Queued[] = [];
  private pumping = false;
  private ended = false;
  private closing: Promise<void> | undefined;

  private term = 0;
  private commitIndex = 0;
  private compacting = false;
  private members: readonly Member[] = [];
  private readonly exchanges = new Exchanges();
  private lastRequest = 0;
  private readonly requests = new Map<number, (answer: Settled) => void>();
  /** Snapshots on their way, by receiver. */
  private readonly snapshotsUnderWay = new Map<NodeId, AbortController>();

  constructor(private readonly options: RaftNodeOptions<Result>) {
    super();
    this.nodeId = options.nodeId;
    this.logger = options.logger;
    this.log = new LogReader((index) => this.running.entry(index), options.storage);
    this.applier = new Applier(options.stateMachine, this.log);
    this.timingWatch = new TimingWatch(options.logger);
    const limitMs = options.writeLimitMs ?? WRITE_LIMIT_MS;
    this.writeWatch = new WriteWatch(limitMs, () =>
      this.fatal(new StorageError('hung', `A write has not ended for ${limitMs} ms`, { limitMs })),
    );
    const tolerance = (): number => Math.max(25, this.timing.heartbeatIntervalMs / 2);
    this.timer = new WakeUpTimer({
      now: () => performance.now(),
      onWakeUp: (lateMs) => this.timingWatch.wokeUp(lateMs),
      onLate: (lateMs) => this.stalled(lateMs),
      onDue: () => this.deliver({ type: 'tick' }),
      get toleranceMs() {
        return tolerance();
      },
    });
  }

  /** Opens the disk and rebuilds the state; the network comes with `start`. @throws StorageError */
  async open(): Promise<Identity> {
    const { identity, state } = await this.options.storage.open(this.nodeId);
    this.identityFound = identity;
    const { priority, timing, limits } = this.options;
    const { incarnation } = identity;
    const core = new RaftCore({ id: this.nodeId, incarnation, priority, timing, limits }, state);
    this.core = core;
    const snapshot = await this.options.storage.readSnapshot();
    if (snapshot) this.applier.restore(snapshot);
    const { term, commitIndex } = core.status(performance.now());
    this.term = term;
    this.commitIndex = commitIndex;
    this.useTiming();
    await this.applyCommitted();
    return identity;
  }

  async start(transport: NodeTransport): Promise<{ host: string; port: number }> {
    this.transport = transport;
    // Before the first request: it is measured against the members' disks.
    this.connect(this.status().configuration.configuration.members);
    const bound = await transport.start();
    this.deliver({ type: 'applied', index: this.applier.appliedIndex });
    this.deliver({ type: 'tick' });
    return bound;
  }

  /** Closes network and disk, also after a fatal error. Whoever still waits gets `unknown`. */
  stop(): Promise<void> {
    this.closing ??= this.close();
    return this.closing;
  }

  get identity(): Identity {
    if (!this.identityFound) throw new Error('the node is not open');
    return this.identityFound;
  }

  status(): CoreStatus {
    return this.running.status(performance.now());
  }

  /** The clockwork in force: the cluster's, once the log of this node has it. */
  get timing(): Timing {
    return this.core?.timing ?? this.options.timing;
  }

  /** True while this node leads and an entry of its own term is committed: only then it knows the whole log. */
  get isReadyLeader(): boolean {
    return this.core?.role === 'leader' && this.status().ready;
  }

  /** Founds a cluster of these members; `rejected` when the disk is not empty. */
  async bootstrap(members: readonly Member[]): Promise<Outcome<object>> {
    const { clusterId } = this.identity;
    if (clusterId !== null) {
      return {
        outcome: 'rejected',
        reason: 'not-empty',
        detail: `this disk belongs to cluster ${clusterId}`,
      };
    }
    await this.adoptCluster(randomBytes(16).toString('hex'));
    const timing = clusterTimingOf(this.options.timing);
    return this.ask((id) => ({ type: 'bootstrap', id, configuration: { members, timing } }));
  }

  /** Becomes part of a cluster for good. @throws StorageError when the disk belongs to another */
  async adoptCluster(clusterId: string): Promise<void> {
    if (this.identity.clusterId === clusterId) return;
    try {
      await this.options.storage.setClusterId(clusterId);
    } catch (error) {
      if (isDiskFailure(error)) this.fatal(error);
      throw error;
    }
    this.identityFound = { ...this.identity, clusterId };
    this.logger.info({ clusterId }, 'joined a cluster');
  }

  /** Commits a command and returns what the state machine made of it. `data` must not change any more. */
  propose(data: Uint8Array): Promise<Outcome<{ result: Result }>> {
    return new Promise((resolve) => {
      const proposedMs = performance.now();
      this.submit(
        (id) => ({ type: 'propose', id, data, crc: crc32(data) }),
        (answer) => {
          if (answer.outcome !== 'done') return resolve(answer);
          const committedMs = performance.now();
          this.applier.awaitResult(answer.index, (applied) => {
            const applyMs = performance.now() - committedMs;
            this.emit('proposed', { replicateMs: committedMs - proposedMs, applyMs });
            if (applied) resolve({ ...answer, ...applied });
            else resolve(this.ended ? STOPPED : { outcome: 'unknown', reason: 'a snapshot took its place' });
          });
        },
      );
    });
  }

  /** Waits until everything that was committed anywhere before the call is applied here. Leader only. */
  async readBarrier(): Promise<Outcome<object>> {
    const answer = await this.ask((id) => ({ type: 'read', id }));
    if (answer.outcome !== 'done') return answer;
    await this.applier.whenApplied(answer.index);
    return this.ended ? STOPPED : answer;
  }

  /**
   * Hands leadership over, to the best successor unless told otherwise. `done`: somebody else leads. When the core
   * cannot know the outcome in time, it is looked up who leads now: a hand-over that succeeded is not reported as a
   * failure (op-conductor #22924). `unknown` then means that this node leads still, or that nobody is known to.
   */
  async transferLeadership(to?: NodeId): Promise<Outcome<object>> {
    const outcome = await this.ask((id) => ({ type: 'transfer', id, to }));
    if (outcome.outcome !== 'unknown') return outcome;
    const endMs = performance.now() + 2 * this.timing.electionTimeoutMs;
    for (let leftMs; this.isRunning && (leftMs = endMs - performance.now()) > 0;) {
      const { role, leader, term, lastIndex } = this.status();
      if (leader !== null && leader !== this.nodeId) return { outcome: 'done', index: lastIndex, term };
      if (role !== 'leader') {
        await this.nextRole(leftMs);
        continue;
      }
      // A quorum confirms that nobody was elected before it answered, or this node learns who was.
      const confirmed = await this.ask((id) => ({ type: 'read', id }));
      if (confirmed.outcome === 'done')
        return { ...outcome, reason: `${outcome.reason}: this node leads still` };
    }
    return outcome;
  }

  private nextRole(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.off('role', done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.on('role', done);
    });
  }

  /**
   * Makes one change. `expectedIndex`: only while the configuration is still the one of that index. Without `force` it
   * is refused (`would-lose-quorum`) when the voters that answer now would be no majority afterwards.
   */
  async changeMembership(
    change: MembershipChange,
    expectedIndex?: number,
    { force = false }: { force?: boolean } = {},
  ): Promise<Outcome<object>> {
    return (
      (await this.unready()) ??
      this.ask((id) => ({ type: 'changeMembership', id, change, expectedIndex, force }))
    );
  }

  /** Before the first commit of its term a leader must refuse changes (bug 33); that is a matter of milliseconds. */
  private async unready(): Promise<Outcome<object> | undefined> {
    if (this.isReadyLeader) return undefined;
    const barrier = await this.readBarrier();
    return barrier.outcome === 'done' ? undefined : barrier;
  }

  /** Changes the clockwork of the whole cluster, through the log; `rejected` when no cluster can run by these times. */
  async setTiming(timing: ClusterTiming, expectedIndex?: number): Promise<Outcome<object>> {
    return (
      (await this.unready()) ??
      this.ask((id) => ({ type: 'setTiming', id, timing: clusterTimingOf(timing), expectedIndex }))
    );
  }

  /**
   * Puts one voter in the place of another, both or neither (joint consensus, thesis §4.3). The newcomer should be a
   * non-voter that has the log, or commits wait for it. `done` once the old member is out.
   */
  replaceMember(
    id: NodeId,
    by: { id: NodeId; address: string; incarnation: string },
    expectedIndex?: number,
    options: { force?: boolean } = {},
  ): Promise<Outcome<object>> {
    return this.changeMembership({ type: 'replace', id, by }, expectedIndex, options);
  }

  /** How fit this node is to lead, an integer below 2^32; 0 is unfit. Travels to the leader with every heartbeat. */
  setEligibility(value: number): void {
    this.deliver({ type: 'eligibility', value });
  }

  /** Entries from the log, also those no longer in memory: at least one, and fewer than asked for after `maxBytes`. */
  readEntries(from: number, to: number, maxBytes: number): Promise<LoadedEntry[]> {
    return this.log.read(from, to, maxBytes);
  }

  // ------------------------------------------------------------ from the network

  receive(from: NodeId, message: RequestMessage, respond: Respond): void {
    if (message.type === 'snapshot' && message.snapshot.data === undefined) {
      void this.receiveSnapshot(from, message, respond).catch((error: Error) => this.fatal(error));
    } else {
      this.deliver({ type: 'message', from, message }, respond);
    }
  }

  /** Keeps a piece of a snapshot; answers how much of it is there, or null when its sender no longer leads. */
  async receiveSnapshotChunk(
    from: NodeId,
    { term, snapshot, offset, data }: SnapshotChunkRequest,
  ): Promise<number | null> {
    if (!this.isRunning || term < this.term) return null;
    if (snapshot.byteLength > RECEIVED_SNAPSHOT_BYTES_MAX) {
      this.logger.error({ peer: from, bytes: snapshot.byteLength }, 'snapshot refused: it is too large');
      return null;
    }
    try {
      return await this.options.storage.receiveSnapshot(snapshot, offset, data);
    } catch (error) {
      this.fatal(error as Error);
      return null;
    }
  }

  /** The core gets the whole snapshot or hears nothing of it; without the data, the sender begins again. */
  private async receiveSnapshot(from: NodeId, message: SnapshotRequest, respond: Respond): Promise<void> {
    if (!this.isRunning) return respond(null);
    const data = await this.options.storage.takeReceivedSnapshot(message.snapshot);
    if (data === undefined) return respond(null);
    this.deliver(
      { type: 'message', from, message: { ...message, snapshot: { ...message.snapshot, data } } },
      respond,
    );
  }

  /** The leader's process may be dead: ask its host. Only a refused connection proves it (raft.md §5.5). */
  async peerDisconnected(peer: NodeId): Promise<void> {
    if (!this.options.crashEvidence) return;
    for (const delayMs of PROBE_DELAYS_MS) {
      if (this.ended || this.status().leader !== peer || !this.transport) return;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      const found = await this.transport.probe(peer).catch(() => 'unknown' as const);
      if (found !== 'gone') continue;
      this.leaderGone(peer, 'its host refuses connections, or another process answers there');
      return;
    }
  }

  /** Another process speaks in the name of a peer, so the one before is gone. */
  peerRestarted(peer: NodeId): void {
    if (this.options.crashEvidence) this.leaderGone(peer, 'another process speaks in its name');
  }

  private leaderGone(peer: NodeId, proof: string): void {
    if (!this.isRunning || this.status().leader !== peer) return;
    this.logger.info({ peer, proof }, 'the leader process is gone');
    this.deliver({ type: 'peerGone', peer });
  }

  // ------------------------------------------------------------ the pump

  private get running(): RaftCore {
    if (!this.core) throw new Error('the node is not open');
    return this.core;
  }

  private get isRunning(): boolean {
    return !this.ended && this.transport !== undefined;
  }

  private ask(make: (id: number) => Stimulus): Promise<Outcome<object>> {
    return new Promise((resolve) => this.submit(make, resolve));
  }

  /** `settle` is called once, while the outputs of the step that decides it are carried out. */
  private submit(make: (id: number) => Stimulus, settle: (answer: Settled) => void): void {
    if (!this.isRunning) return settle({ outcome: 'rejected', reason: 'stopped' });
    const id = ++this.lastRequest;
    this.requests.set(id, settle);
    this.deliver(make(id));
  }

  private deliver(stimulus: Stimulus, respond?: Respond): void {
    if (!this.isRunning) return respond?.(null);
    this.queue.push({ stimulus, respond });
    if (this.pumping) return;
    this.pumping = true;
    try {
      for (let next = this.queue.shift(); next && !this.ended; next = this.queue.shift()) this.step(next);
    } catch (error) {
      this.fatal(error as Error);
    } finally {
      this.pumping = false;
    }
    this.timer.set(this.running.nextDeadlineMs());
  }

  private step({ stimulus, respond }: Queued): void {
    let input = stimulus;
    let exchangeId: number | undefined;
    if (stimulus.type === 'message' && respond) {
      const message = this.exchanges.begin(stimulus.message as RequestMessage, respond);
      exchangeId = message.requestId;
      input = { ...stimulus, message };
    }
    const outputs = this.running.step({ ...input, now: performance.now(), random: Math.random() });
    for (const output of outputs) this.carryOut(output, exchangeId);
    // Last, so that network and disk do not wait for the application.
    if (this.applier.appliedIndex < this.commitIndex) {
      void this.applyCommitted().catch((error: Error) => this.fatal(error));
    }
  }

  private carryOut(output: Output, exchangeId: number | undefined): void {
    switch (output.type) {
      case 'persist':
        return this.persist(output);
      case 'send':
        return this.send(output.to, output.message);
      case 'commit':
        this.emit('committed', output.index - this.commitIndex);
        this.commitIndex = output.index;
        return;
      case 'restore':
        this.commitIndex = output.snapshot.index;
        return this.applier.restore(output.snapshot);
      case 'answer': {
        const settle = this.requests.get(output.id);
        this.requests.delete(output.id);
        return settle?.(output.answer);
      }
      case 'event':
        return this.onCoreEvent(output.event, exchangeId);
      case 'halt':
        return this.fatal(new Error(`raft invariant broken: ${output.reason}`));
    }
  }

  /** A leader's messages leave on the next turn of the event loop; its own write begins with a copy, so it comes after. */
  private persist(output: Persist): void {
    if (this.running.role === 'leader') setImmediate(() => this.write(output));
    else this.write(output);
  }

  private write(output: Persist): void {
    if (this.ended) return;
    const startedMs = performance.now();
    this.writeWatch.begin();
    this.options.storage.write(output).then(
      () => {
        this.writeWatch.end();
        const durationMs = performance.now() - startedMs;
        this.deliver({ type: 'stored', seq: output.seq });
        this.timingWatch.sync(durationMs);
        this.emit('stored', durationMs);
      },
      (error: Error) => this.fatal(error),
    );
  }

  private send(to: NodeId, message: Message): void {
    if (isResponse(message)) return this.exchanges.answer(message);
    void this.request(to, message).then(
      (response) => this.deliver({ type: 'message', from: to, message: response }),
      (error: Error) => this.requestFailed(to, message, error),
    );
  }

  private requestFailed(to: NodeId, { type, requestId }: Message, error: Error): void {
    if (isDiskFailure(error)) return this.fatal(error);
    this.logger.debug({ peer: to, type, reason: error.message }, 'request failed');
    this.deliver({ type: 'requestFailed', to, requestId });
  }

  private async request(to: NodeId, message: RequestMessage): Promise<ResponseMessage> {
    const { transport } = this;
    if (!transport) throw new Error('not started');
    if (message.type === 'snapshot') return this.sendSnapshot(transport, to, message);
    const complete = isComplete(message) ? message : await withData(message, this.options.storage);
    const sentMs = performance.now();
    const response = await transport.send(to, complete);
    // Heartbeats wait for no disk.
    if (message.type === 'heartbeat') this.timingWatch.roundTrip(performance.now() - sentMs);
    return response;
  }

  private useTiming(): void {
    const { index, configuration } = this.status().configuration;
    this.timingWatch.use(this.timing, configuration.timing ? `entry ${index}` : 'this node');
  }

  private async sendSnapshot(
    transport: NodeTransport,
    to: NodeId,
    message: SnapshotRequest,
  ): Promise<ResponseMessage> {
    // One at a time to each peer: the core gave the one before up, and this one goes on where it came to.
    this.snapshotsUnderWay.get(to)?.abort();
    const controller = new AbortController();
    this.snapshotsUnderWay.set(to, controller);
    try {
      const source = await this.options.storage.openSnapshot();
      if (source?.id.index !== message.snapshot.index) throw new Error('the snapshot was replaced');
      return await transport.sendSnapshot(to, message, source, controller.signal);
    } finally {
      if (this.snapshotsUnderWay.get(to) === controller) this.snapshotsUnderWay.delete(to);
    }
  }

  private onCoreEvent(event: CoreEvent, exchangeId: number | undefined): void {
    logCoreEvent(this.logger, event);
    switch (event.type) {
      case 'role':
        if (event.term > this.term) this.exchanges.abandon(exchangeId);
        this.term = event.term;
        this.emit('role', event);
        return;
      case 'leaderReady':
        this.emit('leaderReady');
        return;
      case 'configuration':
        this.useTiming();
        this.connect(event.configuration.members);
        this.emit('configuration', event);
        return;
      case 'electionStarted':
        this.emit('electionStarted', event);
        return;
      default:
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

  private stalled(lateMs: number): void {
    const line = { lateMs: Math.round(lateMs) };
    if (lateMs >= this.timing.electionTimeoutMs / 2) this.logger.warn(line, 'event loop stood still');
    else this.logger.debug(line, 'event loop stood still');
    this.deliver({ type: 'stalled', forMs: lateMs });
  }

  // ------------------------------------------------------------ the log

  private async applyCommitted(): Promise<void> {
    if (!(await this.applier.advance(this.commitIndex)) || this.ended) return;
    this.deliver({ type: 'applied', index: this.applier.appliedIndex });
    this.emit('applied', this.applier.appliedIndex);
    await this.compactIfDue();
  }

  private async compactIfDue(): Promise<void> {
    if (this.compacting || !this.isRunning) return;
    const { appliedIndex, version } = this.applier;
    const index = compactionTarget(this.running, appliedIndex, this.options.retention);
    if (index === undefined) return;
    this.compacting = true;
    try {
      const data = await this.options.stateMachine.snapshotAt(index, async (at) => {
        const [entry] = await this.readEntries(at, at, 0);
        if (!entry) throw new Error(`entry ${at} is not in the log`);
        return entry;
      });
      this.deliver({ type: 'compact', index, data });
    } catch (error) {
      // A snapshot of the leader replaced the entries that this one was made from.
      if (version === this.applier.version) throw error;
    } finally {
      this.compacting = false;
    }
  }

  // ------------------------------------------------------------ the end

  private fatal(error: Error): void {
    if (this.ended) return;
    this.end();
    this.logger.fatal({ err: error }, 'this node can not go on');
    this.options.onFatal(error);
  }

  /** From here on nothing is taken in or acknowledged; what was asked before may have happened or not. */
  private end(): void {
    this.ended = true;
    this.timer.stop();
    this.writeWatch.end();
    for (const { respond } of this.queue.splice(0)) respond?.(null);
    this.exchanges.abandon();
    for (const controller of this.snapshotsUnderWay.values()) controller.abort();
    for (const settle of this.requests.values()) settle(STOPPED);
    this.requests.clear();
    this.applier.end();
  }

  private async close(): Promise<void> {
    this.end();
    await this.transport?.stop();
    await this.options.storage.close();
  }
}

/** False for what storage refuses in good health: another cluster, or entries that were compacted meanwhile. */
function isDiskFailure(error: unknown): error is StorageError {
  return error instanceof StorageError && error.code !== 'wrong-cluster' && error.code !== 'not-in-log';
}

function isResponse(message: Message): message is ResponseMessage {
  return message.type.endsWith('Response');
}
