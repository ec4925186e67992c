import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Member, NodeId, RequestMessage, ResponseMessage, SnapshotRequest } from '../core/types.js';
import type { SnapshotSource } from '../storage/snapshot-stream.js';
import { Admission } from './admission.js';
import { BodyBudget } from './body-budget.js';
import { FrameError, TransportError } from './errors.js';
import { decodeFrame, encodeFrame, type Frame } from './frame.js';
import { writeFrameHeaders, type FrameHeaders } from './frame-headers.js';
import { askHello, HELLO_PATH, isConnectionRefused, type HelloAnswer } from './hello.js';
import { FRAME_TYPE, MESSAGE_PATH, PeerLanes, type LaneTimeouts } from './peer-lanes.js';
import { Refusals } from './refusals.js';
import { sendSnapshotData } from './send-snapshot-data.js';
import { UnidentifiedConnections } from './unidentified-connections.js';
import type { SnapshotChunkRequest, WireRequest, WireResponse } from './wire-message.js';
import { commonVersion, isWireVersions, WIRE_VERSIONS, type WireVersions } from './wire-versions.js';

export type { HelloAnswer } from './hello.js';

/** Answers a request; null says that no answer will come, so that the peer need not wait for its deadline. */
export type Respond = (response: ResponseMessage | null) => void;

export interface TransportHandlers {
  /** Answers through `respond`, later or never. */
  onRequest(from: NodeId, message: RequestMessage, respond: Respond): void;
  /** A piece of a snapshot came; answers how many bytes of it are there, or null to refuse it. */
  onSnapshotChunk(from: NodeId, chunk: SnapshotChunkRequest): Promise<number | null>;
  /** A connection on which this peer sent heartbeats closed. */
  onPeerDisconnected(peer: NodeId): void;
  /** Another process speaks for this peer than before: the one before is gone. */
  onPeerRestarted(peer: NodeId): void;
  /** Further fields of the answer to `hello`. */
  hello(): object;
  /** The first frame meant for this disk, while it belongs to no cluster yet. */
  adoptCluster(clusterId: string): Promise<void>;
}

export interface HttpTransportOptions {
  nodeId: NodeId;
  clusterId: () => string | null;
  incarnation: () => string;
  bind: { host: string; port: number };
  timeouts: LaneTimeouts;
  /** Largest frame. All that come at the same time may hold four times as much. */
  bodyLimitBytes: number;
  /** Others than those of this release only where upgrades are tested. */
  wireVersions?: WireVersions;
  logger: Logger;
  handlers: TransportHandlers;
}

/** A connection on which a request waits for so long is closed; its sender gave up long before. */
const UNANSWERED_MS = 30_000;
const PROBE_TIMEOUT_MS = 500;
const SERVER_IDLE_MS = 75_000;
/** Well below `UNANSWERED_MS`, after which a silent connection is closed. */
const WARM_INTERVAL_MS = 10_000;
/** Peers have a handful each; more are closed at once. */
const CONNECTIONS_MAX = 512;
const UNIDENTIFIED_MAX = 256;
/** Frames of the largest size that may be under way at once; smaller ones accordingly more. */
const BODIES_IN_MEMORY_MAX = 4;
/** Raft messages over HTTP/1.1, with binary bodies: requests go out through undici, come in through fastify. */
export class HttpTransport {
  /** Tells this process from one before it on the same disk. */
  private readonly bootId = randomBytes(16).toString('hex');
  private readonly app;
  private lanes = new Map<NodeId, PeerLanes>();
  /** Of each peer the process that spoke last, and the one before it. */
  private readonly boots = new Map<NodeId, { current: string; before: string | undefined }>();
  /** What to speak with a peer, where that is not the newest. */
  private readonly speaks = new Map<NodeId, number>();
  private readonly wireVersions: WireVersions;
  private readonly admission: Admission;
  private readonly bodies: BodyBudget;
  private readonly admitted = new WeakMap<IncomingMessage, FrameHeaders & { response: ServerResponse }>();
  private readonly sockets = new Map<Socket, NodeId>();
  private readonly refusals: Refusals;
  private adopting: Promise<void> | undefined;
  private stopped = false;
  private readonly warming: NodeJS.Timeout;

  constructor(private readonly options: HttpTransportOptions) {
    this.wireVersions = options.wireVersions ?? WIRE_VERSIONS;
    this.refusals = new Refusals(this.wireVersions, options.logger);
    this.admission = new Admission({
      ...options,
      wireVersions: this.wireVersions,
      memberIncarnation: (peer) => this.lanes.get(peer)?.member.incarnation,
    });
    this.bodies = new BodyBudget(BODIES_IN_MEMORY_MAX * options.bodyLimitBytes);
    this.app = fastify({
      keepAliveTimeout: SERVER_IDLE_MS,
      connectionTimeout: UNANSWERED_MS,
      requestTimeout: UNANSWERED_MS,
      forceCloseConnections: true,
      return503OnClosing: false,
    });
    this.app.server.maxConnections = CONNECTIONS_MAX;
    const unidentified = new UnidentifiedConnections(this.app.server, UNIDENTIFIED_MAX);
    this.warming = setInterval(() => this.keepWarm(this.lanes.values()), WARM_INTERVAL_MS).unref();
    this.app.addContentTypeParser(FRAME_TYPE, ({ raw }: FastifyRequest) => {
      const { response, byteLength } = this.headersOf(raw);
      return this.bodies.read(raw, response, byteLength);
    });
    // Before the body: whoever has no business here must not make us read it.
    const onRequest = async ({ raw }: FastifyRequest, reply: FastifyReply): Promise<void> => {
      this.admitted.set(raw, { ...this.admission.checkHeaders(raw.headers), response: reply.raw });
      unidentified.recognise(raw.socket);
    };
    this.app.post(MESSAGE_PATH, { onRequest }, (incoming, reply) => this.onFrame(incoming, reply));
    this.app.get(HELLO_PATH, () => this.helloAnswer());
    this.app.setErrorHandler((error: Error, _request, reply) => this.refusals.answer(error, reply));
  }

  async start(): Promise<{ host: string; port: number }> {
    await this.app.listen(this.options.bind);
    const address = this.app.server.address() as AddressInfo;
    return { host: address.address, port: address.port };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.warming);
    for (const lanes of this.lanes.values()) lanes.close();
    await this.app.close();
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
    for (const lanes of peers) void lanes.keepWarm();
  }

  /** An address that is none, once it is in the log, must not end every node that reads it. */
  private open(member: Member): PeerLanes | undefined {
    try {
      return new PeerLanes(member, this.options.timeouts);
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
    const version = this.speaks.get(to) ?? this.wireVersions.newest;
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
    this.noteBoot(to, frame.bootId);
    return frame.message as WireResponse;
  }

  /** Asks the node at any address who it is. @throws TransportError */
  hello<Extra extends object>(address: string, signal: AbortSignal): Promise<HelloAnswer & Extra> {
    return askHello(address, signal);
  }

  /**
   * Whether the peer's process is gone: its host refuses connections, or another process answers in its place.
   * Time-outs and unreachable hosts prove nothing.
   */
  async probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'> {
    const lanes = this.lanes.get(peer);
    if (!lanes) return 'unknown';
    const known = this.boots.get(peer)?.current;
    try {
      const { bootId } = await askHello(lanes.member.address, AbortSignal.timeout(PROBE_TIMEOUT_MS));
      if (known === undefined) return 'unknown';
      return bootId === known ? 'alive' : 'gone';
    } catch (error) {
      return isConnectionRefused(error) ? 'gone' : 'unknown';
    }
  }

  /** What a peer sends is lost when it does not speak our newest format; from then on it gets one that it speaks. */
  private onRefused(error: TransportError, to: NodeId, version: number): void {
    const { code, speaks } = error.refusal ?? {};
    const common =
      code === 'wrong-version' && isWireVersions(speaks)
        ? commonVersion(this.wireVersions, speaks)
        : undefined;
    if (common === undefined || common === version) return this.refusals.log(error);
    this.options.logger.info({ peer: to, version: common }, 'the peer speaks another wire version');
    this.speaks.set(to, common);
  }

  private headersOf(request: IncomingMessage): FrameHeaders & { response: ServerResponse } {
    const headers = this.admitted.get(request);
    if (!headers) throw new Error('a request that was not admitted');
    return headers;
  }

  /** Throws to refuse; fastify waits for the reply otherwise. */
  private onFrame(incoming: FastifyRequest, reply: FastifyReply): void {
    if (!Buffer.isBuffer(incoming.body)) throw new FrameError('wrong-length', 'a request without a body');
    const frame = decodeFrame(incoming.body, this.wireVersions);
    this.admission.check(frame, undefined);
    const { version } = this.headersOf(incoming.raw);
    if (this.options.clusterId() !== null) return this.accept(frame, version, incoming.socket, reply);
    // One cluster at a time: whoever comes second is measured against the first.
    this.adopting ??= this.options.handlers
      .adoptCluster(frame.clusterId)
      .finally(() => (this.adopting = undefined));
    this.adopting
      .then(() => {
        this.admission.check(frame, undefined);
        this.accept(frame, version, incoming.socket, reply);
      })
      .catch((error: Error) => reply.send(error));
  }

  private accept(
    { from, fromIncarnation, bootId, message }: Frame,
    version: number,
    socket: Socket,
    reply: FastifyReply,
  ): void {
    this.noteBoot(from, bootId);
    if (version > (this.speaks.get(from) ?? version)) this.speaks.set(from, version);
    if (message.type === 'heartbeat') this.watch(socket, from);
    // An answer that never comes must not keep the request's body in memory.
    let open: FastifyReply | undefined = reply;
    reply.raw.once('close', () => (open = undefined));
    const respond = (response: WireResponse | null): void => {
      if (response) {
        void open
          ?.type(FRAME_TYPE)
          .send(Buffer.concat(this.encode(response, from, fromIncarnation, version)));
      } else {
        void open?.code(503).send({ code: 'unanswered', message: 'events overtook this request' });
      }
      open = undefined;
    };
    const { handlers } = this.options;
    if (message.type !== 'snapshotChunk') {
      handlers.onRequest(from, message as RequestMessage, respond);
      return;
    }
    const { term, requestId } = message;
    handlers.onSnapshotChunk(from, message).then(
      (received) =>
        respond(received === null ? null : { type: 'snapshotChunkResponse', term, requestId, received }),
      () => respond(null),
    );
  }

  private get clusterId(): string {
    const own = this.options.clusterId();
    if (own === null) throw new Error('a node without a cluster has nothing to say');
    return own;
  }

  private encode(
    message: WireRequest | WireResponse,
    to: NodeId,
    toIncarnation: string,
    version: number,
  ): Uint8Array[] {
    const { nodeId, incarnation } = this.options;
    const { clusterId, bootId } = this;
    const address = { clusterId, from: nodeId, fromIncarnation: incarnation(), bootId, to, toIncarnation };
    return encodeFrame({ ...address, message }, version);
  }

  /** What a dead process had sent may arrive after the first words of the next: that is no further restart. */
  private noteBoot(peer: NodeId, bootId: string): void {
    const known = this.boots.get(peer);
    if (known?.current === bootId || known?.before === bootId) return;
    this.boots.set(peer, { current: bootId, before: known?.current });
    if (!known) return;
    // It may have been upgraded.
    this.speaks.delete(peer);
    this.options.handlers.onPeerRestarted(peer);
  }

  private watch(socket: Socket, peer: NodeId): void {
    if (this.sockets.has(socket)) return;
    this.sockets.set(socket, peer);
    socket.once('close', () => {
      this.sockets.delete(socket);
      if (!this.stopped) this.options.handlers.onPeerDisconnected(peer);
    });
  }

  private helloAnswer(): HelloAnswer {
    const { nodeId, clusterId, incarnation, handlers } = this.options;
    return {
      nodeId,
      clusterId: clusterId(),
      incarnation: incarnation(),
      bootId: this.bootId,
      wireVersion: this.wireVersions.newest,
      oldestWireVersion: this.wireVersions.oldest,
      ...handlers.hello(),
    };
  }
}
