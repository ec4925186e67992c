import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Member, NodeId } from '../core/configuration.js';
import type { RequestMessage, ResponseMessage, SnapshotRequest } from '../core/messages.js';
import type { SnapshotSource } from '../storage/snapshot-stream.js';
import { Admission } from './admission.js';
import { FrameError, TransportError } from './errors.js';
import { decodeFrame, encodeFrame, usedTwice, type FrameAddress } from './frame.js';
import { writeFrameHeaders } from './frame-headers.js';
import { FrameServer, type ReceivedFrame } from './frame-server.js';
import { openTcpSocket, type DialOptions, type OpenSocket } from './dial.js';
import { askHello, type HelloAnswer } from './hello.js';
import { HostNames, systemLookUp, type LookUp } from './host-names.js';
import { PeerLanes, type LaneTimeouts } from './peer-lanes.js';
import { PeerIdentities, type PeerIdentity } from './peer-identities.js';
import { isRefused } from './peer-failure.js';
import { PeerProcesses } from './peer-processes.js';
import { Refusals } from './refusals.js';
import { sendSnapshotData } from './send-snapshot-data.js';
import type { TransportHost } from './transport-host.js';
import type { WireRequest, WireResponse } from './wire-message.js';
import { WIRE_VERSIONS, type WireVersions } from './wire-versions.js';

export interface HttpTransportOptions {
  /** Port 0: any that is free. */
  bind: { host: string; port: number };
  /** Asked for each request. */
  timeouts: () => LaneTimeouts;
  /** Largest frame. All that come at the same time may hold four times as much. */
  bodyLimitBytes: number;
  /** Others than those of this release only where upgrades are tested. */
  wireVersions?: WireVersions;
  /** The application's own part of the answer to `hello`. */
  hello?: () => object;
  /**
   * Called for each frame that came here from a cluster which this node does not belong to, with the id of that cluster: some
   * member still lists this address. The frame is refused in any case.
   */
  onStray?: (clusterId: string) => void;
  /** How host names are looked up; as the system does unless given. */
  lookUp?: LookUp;
  /** How connections are opened; over TCP unless given. */
  openSocket?: OpenSocket;
  logger: Logger;
}

const PROBE_TIMEOUT_MS = 500;
/** How often lost connections are dialled of which nobody makes use. */
const WARM_INTERVAL_MS = 1000;

/**
 * Raft messages over HTTP/1.1, with binary bodies: requests go out through undici, come in through fastify. For one
 * node, which is given to `start`; `RaftNode.start` does that.
 */
export class HttpTransport {
  /** Tells this process from one before it on the same disk. */
  private readonly bootId = randomBytes(16).toString('hex');
  private readonly wireVersions: WireVersions;
  private readonly admission: Admission;
  private readonly refusals: Refusals;
  private readonly server: FrameServer;
  private readonly processes: PeerProcesses;
  private readonly identities: PeerIdentities;
  private readonly dialOptions: DialOptions;
  private lanes = new Map<NodeId, PeerLanes>();
  private readonly sockets = new Map<Socket, NodeId>();
  private startedFor: TransportHost | undefined;
  private stopped = false;
  private readonly warming: NodeJS.Timeout;

  constructor(private readonly options: HttpTransportOptions) {
    const { bind, bodyLimitBytes, wireVersions = WIRE_VERSIONS, logger } = options;
    this.wireVersions = wireVersions;
    this.refusals = new Refusals(wireVersions, logger);
    this.dialOptions = {
      names: new HostNames({
        lookUp: options.lookUp ?? systemLookUp,
        onMoved: (name, from, to) => logger.info({ name, from, to }, 'a name leads to other addresses'),
      }),
      openSocket: options.openSocket ?? openTcpSocket,
      now: () => performance.now(),
    };
    this.processes = new PeerProcesses(wireVersions);
    this.identities = new PeerIdentities({
      isMember: ({ id, incarnation }) => this.lanes.get(id)?.member.incarnation === incarnation,
      ask: (peer) => this.residentOf(peer),
      onRestarted: (peer) => this.restarted(peer),
      onUsedTwice: (peer) => this.usedTwice(peer),
      now: () => performance.now(),
    });
    this.admission = new Admission({
      nodeId: () => this.host.nodeId,
      clusterId: () => this.host.clusterId(),
      incarnation: () => this.host.incarnation(),
      memberIncarnation: (peer) => this.lanes.get(peer)?.member.incarnation,
      bodyLimitBytes,
      wireVersions,
      onStray: (clusterId) => options.onStray?.(clusterId),
    });
    this.server = new FrameServer({
      bind,
      bodyLimitBytes,
      wireVersions,
      admission: this.admission,
      refusals: this.refusals,
      clusterId: () => this.host.clusterId(),
      adoptCluster: (clusterId) => this.host.adoptCluster(clusterId),
      counts: (frame) => this.identities.counts(identityOf(frame), frame.bootId, 'request'),
      helloAnswer: () => this.helloAnswer(),
      encode: (...response) => this.encode(...response),
      onFrame: (received) => this.accept(received),
    });
    this.warming = setInterval(() => this.keepWarm(this.lanes.values()), WARM_INTERVAL_MS).unref();
  }

  /** Listens, for this node from now on. @returns where */
  async start(host: TransportHost): Promise<{ host: string; port: number }> {
    this.startedFor = host;
    return this.server.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.warming);
    for (const lanes of this.lanes.values()) lanes.close();
    await this.server.stop();
  }

  /** The members to talk to; a changed address takes effect with the next message. */
  setPeers(members: readonly Member[]): void {
    const next = new Map<NodeId, PeerLanes>();
    for (const member of members) {
      const open = this.lanes.get(member.id);
      const same = open?.member.address === member.address && open.member.incarnation === member.incarnation;
      const lanes = same ? open : this.open(member);
      if (lanes) next.set(member.id, lanes);
    }
    for (const [id, lanes] of this.lanes) if (next.get(id) !== lanes) lanes.close();
    this.keepWarm([...next.values()].filter((lanes) => this.lanes.get(lanes.member.id) !== lanes));
    this.lanes = next;
  }

  private keepWarm(peers: Iterable<PeerLanes>): void {
    for (const lanes of peers) lanes.keepWarm();
  }

  /** An address that is none, once it is in the log, must not end every node that reads it. */
  private open(member: Member): PeerLanes | undefined {
    try {
      return new PeerLanes(member, this.options.timeouts, this.dialOptions);
    } catch (error) {
      this.options.logger.error(
        { member, reason: (error as Error).message },
        'the address of a member is none',
      );
      return undefined;
    }
  }

  /** @throws TransportError, or FrameError for an answer that is no frame for this node */
  send(to: NodeId, message: RequestMessage): Promise<ResponseMessage> {
    return this.exchange(to, message) as Promise<ResponseMessage>;
  }

  /**
   * Sends what the peer does not have yet of a snapshot's data, and then the message that installs it. A broken
   * connection ends it; the next attempt goes on where this one came to.
   *
   * @throws as `send`
   */
  async sendSnapshot(
    to: NodeId,
    message: SnapshotRequest,
    source: SnapshotSource,
    signal: AbortSignal,
  ): Promise<ResponseMessage> {
    await sendSnapshotData(
      (chunk) => this.exchange(to, { ...chunk, term: message.term, requestId: message.requestId }),
      source,
      signal,
    );
    return this.send(to, message);
  }

  private async exchange(to: NodeId, message: WireRequest): Promise<WireResponse> {
    const lanes = this.lanes.get(to);
    if (!lanes || this.stopped) throw new TransportError('unknown-peer', to, 'no member with an address');
    const { incarnation } = lanes.member;
    const version = this.processes.version(to);
    const frameBytes = this.encode(message, to, incarnation, version);
    const headers = writeFrameHeaders({ version, clusterId: this.clusterId, toIncarnation: incarnation });
    const answer = await lanes.exchange(message, frameBytes, headers).catch((error: unknown) => {
      if (error instanceof TransportError && error.code === 'refused') this.onRefused(error, to, version);
      throw error;
    });
    const frame = decodeFrame(answer, this.wireVersions);
    this.admission.check(frame, to);
    if (frame.message.type !== `${message.type}Response` || frame.message.requestId !== message.requestId) {
      throw new FrameError('malformed', `${to} answered ${message.type} with ${frame.message.type}`);
    }
    const counts = this.identities.counts(identityOf(frame), frame.bootId, 'answer');
    if (counts !== true && !(await counts)) throw usedTwice(frame);
    return frame.message as WireResponse;
  }

  /** Asks the node at any address who it is. @throws TransportError */
  hello<Extra extends object>(address: string, signal: AbortSignal): Promise<HelloAnswer & Extra> {
    return askHello(address, this.dialOptions, signal);
  }

  /**
   * Whether the peer's process is gone: its host refuses connections, or another process answers in its place.
   * Time-outs and unreachable hosts prove nothing.
   */
  async probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'> {
    const lanes = this.lanes.get(peer);
    if (!lanes) return 'unknown';
    const known = this.identities.bootId(lanes.member);
    try {
      const { nodeId, incarnation, bootId } = await this.hello(
        lanes.member.address,
        AbortSignal.timeout(PROBE_TIMEOUT_MS),
      );
      // The address may be another node's by now: that says nothing of the peer.
      if (nodeId !== peer || incarnation !== lanes.member.incarnation || known === undefined)
        return 'unknown';
      return bootId === known ? 'alive' : 'gone';
    } catch (error) {
      return error instanceof TransportError && isRefused(error.failure) ? 'gone' : 'unknown';
    }
  }

  /** The process of this identity at the member's address; undefined when none answers there. */
  private async residentOf({ id, incarnation }: PeerIdentity): Promise<string | undefined> {
    const address = this.lanes.get(id)?.member.address;
    if (address === undefined || this.stopped) return undefined;
    const found = await this.hello(address, AbortSignal.timeout(PROBE_TIMEOUT_MS)).catch(() => undefined);
    return found?.nodeId === id && found.incarnation === incarnation ? found.bootId : undefined;
  }

  private restarted(peer: NodeId): void {
    this.processes.restarted(peer);
    this.host.onPeerRestarted(peer);
  }

  private usedTwice({ id: peer, incarnation }: PeerIdentity): void {
    const { code, message, remedy } = new FrameError(
      'identity-used-twice',
      'two processes speak for one node, from copies of one disk',
    );
    this.options.logger.error({ code, peer, incarnation, remedy }, message);
    this.host.onIdentityUsedTwice(peer);
  }

  /** What a peer sends is lost when it does not speak our newest format; from then on it gets one that it speaks. */
  private onRefused(error: TransportError, to: NodeId, version: number): void {
    const common = this.processes.learnVersion(to, version, error.refusal ?? {});
    if (common === undefined) return this.refusals.log(error);
    this.options.logger.info({ peer: to, version: common }, 'the peer speaks another wire version');
  }

  private accept({ frame, version, socket, respond }: ReceivedFrame): void {
    const { from, message } = frame;
    this.processes.noteVersion(from, version);
    if (message.type === 'heartbeat') this.watch(socket, from);
    if (message.type !== 'snapshotChunk') {
      this.host.onRequest(from, message as RequestMessage, respond);
      return;
    }
    const { term, requestId } = message;
    this.host.onSnapshotChunk(from, message).then(
      (received) =>
        respond(received === null ? null : { type: 'snapshotChunkResponse', term, requestId, received }),
      () => respond(null),
    );
  }

  private get host(): TransportHost {
    if (!this.startedFor) throw new Error('the transport is not started');
    return this.startedFor;
  }

  private get clusterId(): string {
    const own = this.host.clusterId();
    if (own === null) throw new Error('a node without a cluster has nothing to say');
    return own;
  }

  private encode(
    message: WireRequest | WireResponse,
    to: NodeId,
    toIncarnation: string,
    version: number,
  ): Uint8Array[] {
    const { clusterId, bootId, host } = this;
    const fromIncarnation = host.incarnation();
    const address = { clusterId, from: host.nodeId, fromIncarnation, bootId, to, toIncarnation };
    return encodeFrame({ ...address, message }, version);
  }

  private watch(socket: Socket, peer: NodeId): void {
    if (this.sockets.has(socket)) return;
    this.sockets.set(socket, peer);
    socket.once('close', () => {
      this.sockets.delete(socket);
      if (!this.stopped) void this.host.onPeerDisconnected(peer);
    });
  }

  private helloAnswer(): HelloAnswer {
    return {
      nodeId: this.host.nodeId,
      clusterId: this.host.clusterId(),
      incarnation: this.host.incarnation(),
      bootId: this.bootId,
      wireVersion: this.wireVersions.newest,
      oldestWireVersion: this.wireVersions.oldest,
      ...this.options.hello?.(),
    };
  }
}

const identityOf = ({ from, fromIncarnation }: FrameAddress): PeerIdentity => ({
  id: from,
  incarnation: fromIncarnation,
});
