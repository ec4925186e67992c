import type { HelloAnswer, Member, NodeTransport, TransportHost } from '../../../../raft/index.js';
import { Admission } from '../../../../raft/transport/admission.js';
import type { Frame } from '../../../../raft/transport/frame.js';
import { PeerIdentities, type PeerIdentity } from '../../../../raft/transport/peer-identities.js';
import { sendSnapshotData } from '../../../../raft/transport/send-snapshot-data.js';
import type { WireRequest, WireResponse } from '../../../../raft/transport/wire-message.js';
import { WIRE_VERSIONS } from '../../../../raft/transport/wire-versions.js';
import type { Lifetime } from '../time/lifetime.js';
import { ConnectionRefused, Exchange } from './exchange.js';
import type { Links } from './links.js';

type Request = Parameters<NodeTransport['send']>[1];
type Response = Awaited<ReturnType<NodeTransport['send']>>;
type SnapshotRequest = Parameters<NodeTransport['sendSnapshot']>[1];
type SnapshotSource = Parameters<NodeTransport['sendSnapshot']>[2];

/** Messages of one lane share connections. */
type LaneName = 'control' | 'bulk' | 'snapshot';

/** What a transport needs of the network. */
export interface NetworkAccess {
  readonly links: Links;
  readonly deadlinesMs: Record<LaneName, number>;
  /** The process that currently listens at that place. */
  transportAt(place: string): RaftTransport | undefined;
  begin(transport: RaftTransport): void;
  end(transport: RaftTransport): void;
}

interface TransportOptions {
  nodeId: string;
  /** Host of its address; that of its id unless this process runs on a copy of a disk. */
  place: string;
  /** Distinguishes this process from others of the same disk. */
  bootId: string;
  lifetime: Lifetime;
  /** What the process says of itself to anyone who asks. */
  hello: () => object;
}

/** Bytes of messages without payload. */
const FRAME_BYTES = 120;
/** The slowest link on which a large body arrives in time. Here bodies are not split. */
const BYTES_PER_MS = 10_000;
const PROBE_TIMEOUT_MS = 500;

/**
 * Replaces HttpTransport: the same promises to the node over simulated links, and the same checks of the sender. There
 * are no bytes and no sockets: a lane's connection to a process is open or not.
 */
export class RaftTransport implements NodeTransport {
  readonly nodeId: string;
  readonly place: string;
  readonly lifetime: Lifetime;
  private host: TransportHost | undefined;
  private members = new Map<string, Member>();
  private readonly admission: Admission;
  private readonly identities: PeerIdentities;
  /** The process at the other end of each lane's connection. */
  private readonly connections = new Map<string, RaftTransport>();
  private readonly heartbeatsFrom = new Set<RaftTransport>();
  private readonly pending = new Map<string, Set<Exchange<unknown>>>();
  private adopting: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly network: NetworkAccess,
    private readonly options: TransportOptions,
  ) {
    const { nodeId, place, lifetime } = options;
    this.nodeId = nodeId;
    this.place = place;
    this.lifetime = lifetime;
    lifetime.onEnd(() => this.network.end(this));
    this.admission = new Admission({
      nodeId: () => nodeId,
      clusterId: () => this.started.clusterId(),
      incarnation: () => this.started.incarnation(),
      memberIncarnation: (peer) => this.members.get(peer)?.incarnation,
      bodyLimitBytes: Infinity,
      wireVersions: WIRE_VERSIONS,
      onStray: () => undefined,
    });
    this.identities = new PeerIdentities({
      isMember: ({ id, incarnation }) => this.members.get(id)?.incarnation === incarnation,
      ask: (peer) => this.residentOf(peer),
      onRestarted: (peer) => this.host?.onPeerRestarted(peer),
      onUsedTwice: ({ id }) => this.host?.onIdentityUsedTwice(id),
      onUnproven: () => undefined,
      now: () => performance.now(),
    });
  }

  async start(host: TransportHost): Promise<{ host: string; port: number }> {
    this.host = host;
    this.network.begin(this);
    return { host: this.place, port: 50_050 };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.network.end(this);
  }

  setPeers(members: readonly Member[]): void {
    this.members = new Map(members.map((member) => [member.id, member]));
  }

  send(to: string, message: Request): Promise<Response> {
    return this.request(to, message) as Promise<Response>;
  }

  async sendSnapshot(
    to: string,
    message: SnapshotRequest,
    source: SnapshotSource,
    signal: AbortSignal,
  ): Promise<Response> {
    const { term, requestId } = message;
    await sendSnapshotData((chunk) => this.request(to, { ...chunk, term, requestId }), source, {
      pace: { pieceBytes: Infinity, answered: () => undefined },
      signal,
    });
    return this.send(to, message);
  }

  async probe(peer: string): Promise<'gone' | 'alive' | 'unknown'> {
    const member = this.members.get(peer);
    if (!member) return 'unknown';
    const known = this.identities.bootId(member);
    try {
      const { bootId } = await this.ask(member.address, PROBE_TIMEOUT_MS);
      if (known === undefined) return 'unknown';
      return bootId === known ? 'alive' : 'gone';
    } catch (error) {
      return error instanceof ConnectionRefused ? 'gone' : 'unknown';
    }
  }

  /** Asks the node at an address for its identity and status. */
  askHello<Extra extends object>(address: string, signal: AbortSignal): Promise<HelloAnswer & Extra> {
    const answer = this.ask<Extra>(address, 60_000);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      answer.then(resolve, reject);
    });
  }

  /** The connections to that process are closed, by its end or by something in between. */
  closedBy(peer: RaftTransport): void {
    if (this.stopped || this.lifetime.isOver) return;
    for (const [lane, at] of this.connections) if (at === peer) this.connections.delete(lane);
    for (const exchange of this.pending.get(peer.place) ?? [])
      exchange.fail(new Error(`${peer.place} closed the connection`));
    if (this.heartbeatsFrom.delete(peer)) void this.host?.onPeerDisconnected(peer.nodeId);
  }

  private get started(): TransportHost {
    if (!this.host) throw new Error('not started');
    return this.host;
  }

  private async request(to: string, message: WireRequest): Promise<WireResponse> {
    const member = this.members.get(to);
    if (!member || this.stopped) throw new Error(`${to} is no member`);
    const frame = this.frame(member.id, member.incarnation, message);
    const lane = laneOf(message);
    const bytes = bytesOf(message);
    const answer = await this.exchange(
      {
        to: placeIn(member.address),
        lane,
        bytes,
        deadlineMs: this.network.deadlinesMs[lane] + bytes / BYTES_PER_MS,
      },
      (peer) => peer.receive(this, frame),
    );
    this.admission.check(answer, to);
    const standing = await this.identities.standing(identityOf(answer), answer.bootId, 'answer');
    if (standing !== 'counts') throw new Error(`${to} is ${standing}`);
    return answer.message as WireResponse;
  }

  private ask<Extra extends object>(address: string, deadlineMs: number): Promise<HelloAnswer & Extra> {
    const to = placeIn(address);
    return this.exchange({ to, lane: undefined, bytes: FRAME_BYTES, deadlineMs }, async (peer) =>
      peer.answerHello<Extra>(),
    );
  }

  private async residentOf({ id, incarnation }: PeerIdentity): Promise<string | undefined> {
    const address = this.members.get(id)?.address;
    if (address === undefined || this.stopped) return undefined;
    const found = await this.ask(address, PROBE_TIMEOUT_MS).catch(() => undefined);
    return found?.nodeId === id && found.incarnation === incarnation ? found.bootId : undefined;
  }

  private answerHello<Extra extends object>(): HelloAnswer & Extra {
    const { nodeId, started, options } = this;
    const own: HelloAnswer = {
      ...{ nodeId, clusterId: started.clusterId(), incarnation: started.incarnation() },
      bootId: options.bootId,
      wireVersion: WIRE_VERSIONS.newest,
      oldestWireVersion: WIRE_VERSIONS.oldest,
    };
    // What a process sends is text.
    return JSON.parse(JSON.stringify({ ...own, ...options.hello() })) as HelloAnswer & Extra;
  }

  private frame(to: string, toIncarnation: string, message: Frame['message']): Frame {
    const { started, nodeId, options } = this;
    const clusterId = started.clusterId();
    if (clusterId === null) throw new Error('a node without a cluster sends nothing');
    return {
      ...{ clusterId, from: nodeId, fromIncarnation: started.incarnation(), bootId: options.bootId },
      ...{ to, toIncarnation, message },
    };
  }

  /** Null when there will be no answer. @throws FrameError when it is refused */
  private async receive(from: RaftTransport, frame: Frame): Promise<Frame | null> {
    const { host } = this;
    if (!host) return null;
    this.admission.check(frame, undefined);
    if (host.clusterId() === null) {
      this.adopting ??= host.adoptCluster(frame.clusterId).finally(() => (this.adopting = undefined));
      await this.adopting;
      this.admission.check(frame, undefined);
    }
    const judged = this.identities.standing(identityOf(frame), frame.bootId, 'request');
    const standing = typeof judged === 'string' ? judged : await judged;
    if (standing !== 'counts') throw new Error(`${frame.from} is ${standing}`);
    if (frame.message.type === 'heartbeat') this.heartbeatsFrom.add(from);
    const message = await this.handle(host, frame);
    return message && this.frame(frame.from, frame.fromIncarnation, message);
  }

  private async handle(host: TransportHost, { from, message }: Frame): Promise<WireResponse | null> {
    if (message.type !== 'snapshotChunk')
      return new Promise((respond) => host.onRequest(from, message as Request, respond));
    const { term, requestId } = message;
    const received = await host.onSnapshotChunk(from, message);
    return received === null ? null : { type: 'snapshotChunkResponse', term, requestId, received };
  }

  /** @param lane undefined for a request on a separate connection */
  private exchange<T>(
    {
      to,
      lane,
      bytes,
      deadlineMs,
    }: { to: string; lane: LaneName | undefined; bytes: number; deadlineMs: number },
    serve: (peer: RaftTransport) => Promise<T | null>,
  ): Promise<T> {
    const { links } = this.network;
    const connection = `${to} ${lane}`;
    return new Promise((resolve, reject) => {
      const exchange = new Exchange<T>(this.lifetime, this.waitingFor(to), deadlineMs, resolve, (error) => {
        // A connection with an overdue answer is given up.
        this.connections.delete(connection);
        reject(error);
      });
      const order = lane === 'bulk' || lane === 'snapshot' ? lane : undefined;
      links.carry(this.place, to, bytes, order, () => {
        const peer = this.network.transportAt(to);
        const isOpen = lane !== undefined && peer !== undefined && this.connections.get(connection) === peer;
        if (!isOpen && links.losesNew(this.place, to)) return;
        if (!peer || (!isOpen && links.refusesNew(this.place, to)))
          return this.back(to, () => exchange.fail(new ConnectionRefused(to)));
        if (lane !== undefined) this.connections.set(connection, peer);
        this.arrive(peer, exchange, serve);
      });
    });
  }

  /** At the receiver. */
  private arrive<T>(
    peer: RaftTransport,
    exchange: Exchange<T>,
    serve: (peer: RaftTransport) => Promise<T | null>,
  ): void {
    const { place } = peer;
    serve(peer).then(
      (answer) => {
        if (peer.lifetime.isOver) return;
        if (answer === null)
          return this.back(place, () => exchange.fail(new Error(`${place} does not answer`)));
        this.back(place, () => exchange.answer(answer));
      },
      (error: Error) => this.back(place, () => exchange.fail(error)),
    );
  }

  private back(from: string, arrive: () => void): void {
    this.network.links.carry(from, this.place, FRAME_BYTES, undefined, arrive);
  }

  private waitingFor(place: string): Set<Exchange<unknown>> {
    let waiting = this.pending.get(place);
    if (!waiting) this.pending.set(place, (waiting = new Set()));
    return waiting;
  }
}

const placeIn = (address: string): string => address.split(':')[0] as string;

const identityOf = ({ from, fromIncarnation }: Frame): PeerIdentity => ({
  id: from,
  incarnation: fromIncarnation,
});

function laneOf({ type }: WireRequest): LaneName {
  if (type === 'append') return 'bulk';
  return type === 'snapshot' || type === 'snapshotChunk' ? 'snapshot' : 'control';
}

function bytesOf(message: WireRequest): number {
  if (message.type === 'append')
    return message.entries.reduce((sum, { byteLength }) => sum + byteLength, FRAME_BYTES);
  return message.type === 'snapshotChunk' ? FRAME_BYTES + message.data.length : FRAME_BYTES;
}
