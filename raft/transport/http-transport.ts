import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Member, NodeId } from '../core/configuration.js';
import type { AppendRequest, RequestMessage, ResponseMessage, SnapshotRequest } from '../core/messages.js';
import type { SnapshotSource } from '../storage/snapshot-stream.js';
import { Admission } from './admission.js';
import type { AnswerMember } from './ask-server.js';
import { openTcpSocket, type DialOptions, type OpenSocket } from './dial.js';
import { EntryInbox } from './entry-inbox.js';
import { FrameError } from './errors.js';
import { encodeFrame } from './frame.js';
import { FrameServer, type ReceivedFrame } from './frame-server.js';
import type { HelloAnswer } from './hello.js';
import { HostNames, systemLookUp, type LookUp } from './host-names.js';
import { identityOf, PeerIdentities, type Doubt, type PeerIdentity } from './peer-identities.js';
import type { OnProgress } from './append-sender.js';
import type { LaneTimeouts } from './peer-lanes.js';
import { PeerProcesses } from './peer-processes.js';
import { Peers } from './peers.js';
import { Refusals } from './refusals.js';
import { ConnectionRefusals } from './security/connection-refusals.js';
import { PeerProofs } from './security/peer-proof.js';
import { SecureDialler } from './security/secure-dialler.js';
import type { TransportSecurity } from './security/security.js';
import type { TransportHost } from './transport-host.js';
import type { EntryChunkRequest, SnapshotChunkRequest, WireRequest, WireResponse } from './wire-message.js';
import { WIRE_VERSIONS, type WireVersions } from './wire-versions.js';

type Answer = ReceivedFrame['respond'];

export interface HttpTransportOptions {
  /** Port 0: any that is free. */
  bind: { host: string; port: number };
  /** Asked for each request. */
  timeouts: () => LaneTimeouts;
  /** Largest frame. All frames arriving at once may hold four times as much. */
  bodyLimitBytes: number;
  /** Those of this release, except in tests of upgrades. */
  wireVersions?: WireVersions;
  /** The application's own part of the answer to `hello`. */
  hello?: () => object;
  /** Answers requests of other members that concern the application alone; without it, this node does not know them. */
  answerMember?: AnswerMember;
  /**
   * Called with the cluster id of each frame from a cluster that this node does not belong to: some member there still
   * lists this address. The frame is always refused.
   */
  onStray?: (clusterId: string) => void;
  /**
   * An address, by member id, that a member may have moved to: tried when the cluster's address for it leads nowhere,
   * or to another node.
   */
  otherAddress?: (peer: NodeId) => string | undefined;
  /** How host names are looked up; by default as the system does. */
  lookUp?: LookUp;
  /** How connections are opened; by default over TCP. */
  openSocket?: OpenSocket;
  /** How connections are secured; plain by default. */
  security?: TransportSecurity;
  logger: Logger;
}

/** How often lost connections without a user are dialled, and stale state is dropped. */
const UPKEEP_INTERVAL_MS = 1000;
/** Entries of the largest size that may be arriving at once. */
const ENTRIES_IN_PIECES_MAX = 2;

/**
 * Raft messages over HTTP/1.1, with binary bodies: requests go out through undici and come in through fastify. It
 * serves one node, which `RaftNode.start` passes to `start`.
 */
export class HttpTransport {
  /** Tells this process from an earlier one on the same disk. */
  private readonly bootId = randomBytes(16).toString('hex');
  private readonly wireVersions: WireVersions;
  private readonly admission: Admission;
  private readonly refusals: Refusals;
  private readonly server: FrameServer;
  private readonly processes: PeerProcesses;
  private readonly identities: PeerIdentities;
  private readonly peers: Peers;
  private readonly entries: EntryInbox;
  private readonly sockets = new Map<Socket, NodeId>();
  private startedFor: TransportHost | undefined;
  private stopped = false;
  private readonly upkeep: NodeJS.Timeout;

  constructor(private readonly options: HttpTransportOptions) {
    const { bind, bodyLimitBytes, wireVersions = WIRE_VERSIONS, security, logger } = options;
    const proofs = new PeerProofs();
    const refused = new ConnectionRefusals(security, logger);
    const secure =
      security &&
      new SecureDialler({ security, proofs, onRefused: (...what) => refused.note('dialler', ...what) });
    this.wireVersions = wireVersions;
    this.refusals = new Refusals(wireVersions, logger);
    this.processes = new PeerProcesses(wireVersions);
    this.entries = new EntryInbox({
      bytesMax: ENTRIES_IN_PIECES_MAX * bodyLimitBytes,
      entriesMax: ENTRIES_IN_PIECES_MAX,
      now: () => performance.now(),
    });
    this.identities = new PeerIdentities({
      isMember: ({ id, incarnation }) => this.peers.member(id)?.incarnation === incarnation,
      ask: (peer) => this.peers.residentOf(peer),
      onRestarted: (peer) => this.restarted(peer),
      onUsedTwice: (peer) => this.usedTwice(peer),
      onUnproven: (peer) => this.unproven(peer),
      now: () => performance.now(),
    });
    this.admission = new Admission({
      nodeId: () => this.host.nodeId,
      clusterId: () => this.host.clusterId(),
      incarnation: () => this.host.incarnation(),
      memberIncarnation: (peer) => this.peers.member(peer)?.incarnation,
      bodyLimitBytes,
      wireVersions,
      onStray: (clusterId) => options.onStray?.(clusterId),
    });
    this.peers = new Peers({
      clusterId: () => this.clusterId,
      timeouts: options.timeouts,
      dialOptions: { ...dialOptionsOf(options), secure },
      otherAddress: (peer) => options.otherAddress?.(peer),
      wireVersions,
      admission: this.admission,
      identities: this.identities,
      processes: this.processes,
      refusals: this.refusals,
      encode: (...request) => this.encode(...request),
      logger,
    });
    this.server = new FrameServer({
      bind,
      bodyLimitBytes,
      wireVersions,
      admission: this.admission,
      refusals: this.refusals,
      ...{ security, proofs },
      onConnectionRefused: (...what) => refused.note('listener', ...what),
      clusterId: () => this.host.clusterId(),
      adoptCluster: (clusterId) => this.host.adoptCluster(clusterId),
      standing: (asker) => this.identities.standing(identityOf(asker), asker.bootId, 'request'),
      helloAnswer: () => this.helloAnswer(),
      answerMember: options.answerMember,
      writingForMs: () => this.host.writingForMs(),
      encode: (...response) => this.encode(...response),
      onFrame: (received) => this.accept(received),
    });
    this.upkeep = setInterval(() => {
      if (security) proofs.endWithdrawn(security.credentials());
      this.peers.keepWarm();
      this.entries.dropStale();
    }, UPKEEP_INTERVAL_MS).unref();
  }

  /** Listens for this node from now on. @returns the address */
  async start(host: TransportHost): Promise<{ host: string; port: number }> {
    this.startedFor = host;
    return this.server.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.upkeep);
    this.peers.close();
    await this.server.stop();
  }

  /** The members to talk to; a changed address takes effect with the next message. */
  setPeers(members: readonly Member[]): void {
    this.peers.set(members);
  }

  /**
   * @param onProgress hears how many bytes of an append's large entries are at the peer so far
   * @throws TransportError, or FrameError for an answer that is not a frame for this node
   */
  send(to: NodeId, message: RequestMessage, onProgress?: OnProgress): Promise<ResponseMessage> {
    return this.peers.send(to, message, onProgress);
  }

  /**
   * Sends the rest of a snapshot's data that the peer lacks, and then the message that installs it.
   *
   * @throws as `send`
   */
  sendSnapshot(
    to: NodeId,
    message: SnapshotRequest,
    source: SnapshotSource,
    signal: AbortSignal,
    onProgress?: OnProgress,
  ): Promise<ResponseMessage> {
    return this.peers.sendSnapshot(to, message, source, signal, onProgress);
  }

  /** Peers in whose name a process that does not count spoke lately, and why it does not count. */
  doubts(): { id: NodeId; doubt: Doubt }[] {
    return this.identities.doubts();
  }

  /** Asks the node at any address who it is. @throws TransportError */
  hello<Extra extends object>(address: string, signal: AbortSignal): Promise<HelloAnswer & Extra> {
    return this.peers.hello(address, signal);
  }

  /**
   * Asks a member something that concerns the application alone; its `answerMember` answers. It takes a minute at most.
   *
   * @param request as JSON below 64 KiB, and so is the answer
   * @throws TransportError; `hadNoEffect` says when the peer certainly did not act on it
   */
  ask(to: NodeId, request: object, signal: AbortSignal): Promise<object> {
    const { host, bootId } = this;
    const sender = { from: host.nodeId, fromIncarnation: host.incarnation(), bootId, to };
    return this.peers.ask(to, { ...sender, request }, signal);
  }

  /** Whether the peer's process is gone; what cannot be known is `unknown`. */
  probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'> {
    return this.peers.probe(peer);
  }

  private restarted(peer: NodeId): void {
    this.processes.restarted(peer);
    this.host.onPeerRestarted(peer);
  }

  private usedTwice({ id: peer, incarnation }: PeerIdentity): void {
    const { code, message, remedy } = new FrameError(
      'identity-used-twice',
      'two processes run as one node, on copies of its disk',
    );
    this.options.logger.error({ code, peer, incarnation, remedy }, message);
    this.host.onIdentityUsedTwice(peer);
  }

  private unproven({ id: peer, incarnation }: PeerIdentity): void {
    const { code, message, remedy } = new FrameError(
      'identity-unproven',
      'process ignored: it claims to be a member whose address does not answer',
    );
    this.options.logger.warn(
      { code, peer, incarnation, address: this.peers.member(peer)?.address, remedy },
      message,
    );
  }

  private accept({ frame, version, socket, respond }: ReceivedFrame): void {
    const { from, message } = frame;
    this.processes.noteVersion(from, version);
    switch (message.type) {
      case 'snapshotChunk':
        return this.onSnapshotChunk(from, message, respond);
      case 'entryChunk':
        return this.onEntryChunk(message, respond);
      case 'append':
        return this.onAppend(from, message, respond);
      case 'heartbeat':
        this.watch(socket, from);
        this.entries.noteTerm(message.term);
        break;
      default:
        break;
    }
    this.host.onRequest(from, message as RequestMessage, respond);
  }

  private onSnapshotChunk(from: NodeId, chunk: SnapshotChunkRequest, respond: Answer): void {
    const { term, requestId } = chunk;
    this.host.onSnapshotChunk(from, chunk).then(
      (received) =>
        respond(received === null ? null : { type: 'snapshotChunkResponse', term, requestId, received }),
      () => respond(null),
    );
  }

  private onEntryChunk(chunk: EntryChunkRequest, respond: Answer): void {
    const { term, requestId } = chunk;
    const received = this.entries.keep(chunk);
    respond(received === null ? null : { type: 'entryChunkResponse', term, requestId, received });
  }

  /** An append without its large entries is dropped here: its sender begins again. */
  private onAppend(from: NodeId, append: AppendRequest, respond: Answer): void {
    this.entries.noteTerm(append.term);
    const complete = this.entries.complete(append);
    if (!complete) return respond(null);
    this.host.onRequest(from, complete, (response) => {
      if (response?.type === 'appendResponse' && response.success) this.entries.release(append);
      respond(response);
    });
  }

  private get host(): TransportHost {
    if (!this.startedFor) throw new Error('the transport is not started');
    return this.startedFor;
  }

  private get clusterId(): string {
    const own = this.host.clusterId();
    if (own === null) throw new Error('a node without a cluster sends nothing');
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

function dialOptionsOf({ lookUp, openSocket, logger }: HttpTransportOptions): DialOptions {
  return {
    names: new HostNames({
      lookUp: lookUp ?? systemLookUp,
      onMoved: (name, from, to) => logger.info({ name, from, to }, 'a name resolves to different addresses'),
    }),
    openSocket: openSocket ?? openTcpSocket,
    now: () => performance.now(),
  };
}
