import { randomBytes } from 'node:crypto';
import net from 'node:net';
import type { Socket } from 'node:net';
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { request } from 'undici';
import type { Member, NodeId, RequestMessage, ResponseMessage } from '../core/types.js';
import { FrameError, TransportError } from './errors.js';
import { decodeFrame, encodeFrame, WIRE_VERSION, type Frame } from './frame.js';
import { FRAME_TYPE, MESSAGE_PATH, PeerLanes, type LaneTimeouts } from './peer-lanes.js';

export interface TransportHandlers {
  /** Answers through `respond`, later or never. */
  onRequest(from: NodeId, message: RequestMessage, respond: (response: ResponseMessage) => void): void;
  /** A connection on which this peer sent heartbeats closed. */
  onPeerDisconnected(peer: NodeId): void;
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
  bodyLimitBytes: number;
  logger: Logger;
  handlers: TransportHandlers;
}

/** What a node says of itself; `Extra` is what its `hello` handler adds. */
export interface HelloAnswer {
  nodeId: NodeId;
  clusterId: string | null;
  incarnation: string;
  bootId: string;
  wireVersion: number;
}

const HELLO_PATH = '/raft/v1/hello';
/** A request that the core never answers ends after this; the sender gave up long before. */
const UNANSWERED_MS = 30_000;
const PROBE_TIMEOUT_MS = 500;
const SERVER_IDLE_MS = 75_000;
/** A peer that refuses our frames does so twenty times a second. */
const REFUSAL_LOG_INTERVAL_MS = 10_000;

const REMEDY: Partial<Record<FrameError['code'], string>> = {
  'wrong-cluster':
    'the two nodes belong to different clusters: check the addresses, or wipe the storage directory of the one that is to join',
  'wrong-node': 'another node runs at this address: correct the address of the member',
  'wrong-incarnation':
    'the disk is not the one that was added under this id: remove the member and add it again',
};

/** Raft messages over HTTP/1.1, with binary bodies: requests go out through undici, come in through fastify. */
export class HttpTransport {
  /** Tells this process from one before it on the same disk. */
  private readonly bootId = randomBytes(16).toString('hex');
  private readonly app;
  private lanes = new Map<NodeId, PeerLanes>();
  private readonly bootIds = new Map<NodeId, string>();
  private readonly sockets = new Map<Socket, NodeId>();
  private readonly refusalLoggedMs = new Map<string, number>();
  private stopped = false;

  constructor(private readonly options: HttpTransportOptions) {
    this.app = fastify({
      bodyLimit: options.bodyLimitBytes,
      keepAliveTimeout: SERVER_IDLE_MS,
      forceCloseConnections: true,
      return503OnClosing: false,
    });
    this.app.addContentTypeParser(FRAME_TYPE, { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    this.app.post(MESSAGE_PATH, (incoming, reply) => this.onFrame(incoming, reply));
    this.app.get(HELLO_PATH, () => this.helloAnswer());
    this.app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
      const refused = error instanceof FrameError;
      const status = refused ? (REMEDY[error.code] ? 409 : 400) : (error.statusCode ?? 500);
      if (refused) this.logRefusal(error);
      else if (status >= 500) options.logger.error({ err: error }, 'request failed');
      const remedy = refused ? REMEDY[error.code] : undefined;
      return reply
        .code(status)
        .send({ code: error.code, message: error.message, ...(remedy ? { remedy } : {}) });
    });
  }

  async start(): Promise<{ host: string; port: number }> {
    await this.app.listen(this.options.bind);
    const address = this.app.server.address() as net.AddressInfo;
    return { host: address.address, port: address.port };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.lanes.values()].map((lanes) => lanes.close()));
    await this.app.close();
  }

  /** The members to talk to; a changed address takes effect with the next message. */
  setPeers(members: readonly Member[]): void {
    const next = new Map<NodeId, PeerLanes>();
    for (const member of members) {
      const open = this.lanes.get(member.id);
      const same = open?.member.address === member.address && open.member.incarnation === member.incarnation;
      next.set(member.id, same ? open : new PeerLanes(member, this.options.timeouts));
    }
    for (const [id, lanes] of this.lanes) if (next.get(id) !== lanes) void lanes.close();
    this.lanes = next;
  }

  /** @throws TransportError, or FrameError for an answer that is no frame for this node */
  async send(to: NodeId, message: RequestMessage): Promise<ResponseMessage> {
    const lanes = this.lanes.get(to);
    if (!lanes || this.stopped) throw new TransportError('unknown-peer', to, 'not a member');
    const answer = await lanes
      .exchange(message, this.encode(message, to, lanes.member.incarnation))
      .catch((error: unknown) => {
        if (error instanceof TransportError && error.code === 'refused') this.logRefusal(error);
        throw error;
      });
    const frame = decodeFrame(answer);
    this.check(frame, to);
    if (frame.message.type !== `${message.type}Response` || frame.message.requestId !== message.requestId) {
      throw new FrameError('malformed', `${to} answered ${message.type} with ${frame.message.type}`);
    }
    this.bootIds.set(to, frame.bootId);
    return frame.message as ResponseMessage;
  }

  /** Asks the node at any address who it is. @throws TransportError */
  async hello<Extra extends object>(address: string, signal: AbortSignal): Promise<HelloAnswer & Extra> {
    try {
      const { statusCode, body } = await request(`http://${address}${HELLO_PATH}`, { signal, reset: true });
      const text = await body.text();
      const answer = JSON.parse(text) as HelloAnswer & Extra;
      if (statusCode !== 200 || typeof answer.incarnation !== 'string')
        throw new Error(`no Baton there: ${text.slice(0, 200)}`);
      return answer;
    } catch (error) {
      throw new TransportError('unreachable', address, (error as Error).message, { cause: error });
    }
  }

  /**
   * Whether the peer's process is gone: its host refuses connections, or another process answers in its place.
   * Time-outs and unreachable hosts prove nothing.
   */
  async probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'> {
    const lanes = this.lanes.get(peer);
    if (!lanes) return 'unknown';
    const { address } = lanes.member;
    const found = await connect(address);
    if (found !== 'connected') return found === 'refused' ? 'gone' : 'unknown';
    const known = this.bootIds.get(peer);
    const answer = await this.hello(address, AbortSignal.timeout(PROBE_TIMEOUT_MS)).catch(() => undefined);
    if (!answer || !known) return 'unknown';
    return answer.bootId === known ? 'alive' : 'gone';
  }

  private async onFrame(incoming: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (!Buffer.isBuffer(incoming.body)) throw new FrameError('wrong-length', 'a request without a body');
    const frame = decodeFrame(incoming.body);
    this.check(frame, undefined);
    if (this.options.clusterId() === null) await this.options.handlers.adoptCluster(frame.clusterId);
    this.bootIds.set(frame.from, frame.bootId);
    if (frame.message.type === 'heartbeat') this.watch(incoming.socket, frame.from);
    await new Promise<void>((resolve) => {
      const unanswered = setTimeout(() => {
        void reply.code(503).send({ code: 'unanswered', message: 'this request was overtaken by events' });
        resolve();
      }, UNANSWERED_MS);
      this.options.handlers.onRequest(frame.from, frame.message as RequestMessage, (response) => {
        clearTimeout(unanswered);
        // No await between the answer and the socket: fastify's own serialisation is not needed for bytes.
        void reply
          .type(FRAME_TYPE)
          .send(Buffer.concat(this.encode(response, frame.from, frame.fromIncarnation)));
        resolve();
      });
      reply.raw.once('close', () => {
        clearTimeout(unanswered);
        resolve();
      });
    });
  }

  /** State stays untouched unless every part of the address is right. */
  private check(frame: Frame, answering: NodeId | undefined): void {
    const { nodeId, clusterId, incarnation } = this.options;
    const own = clusterId();
    if (own !== null && frame.clusterId !== own) {
      throw new FrameError('wrong-cluster', `frame of cluster ${frame.clusterId}, this node is of ${own}`);
    }
    if (frame.to !== nodeId)
      throw new FrameError('wrong-node', `frame for ${frame.to}, this node is ${nodeId}`);
    if (frame.toIncarnation !== incarnation()) {
      throw new FrameError(
        'wrong-incarnation',
        `frame for disk ${frame.toIncarnation} of ${nodeId}, this one is ${incarnation()}`,
      );
    }
    if (answering !== undefined && frame.from !== answering) {
      throw new FrameError('wrong-node', `${frame.from} answered in place of ${answering}`);
    }
    const known = this.lanes.get(frame.from)?.member.incarnation;
    if (known !== undefined && known !== frame.fromIncarnation) {
      throw new FrameError(
        'wrong-incarnation',
        `${frame.from} speaks from disk ${frame.fromIncarnation}, the member has ${known}`,
      );
    }
    const isResponse = frame.message.type.endsWith('Response');
    if (isResponse !== (answering !== undefined))
      throw new FrameError('malformed', `unexpected ${frame.message.type}`);
  }

  private encode(message: RequestMessage | ResponseMessage, to: NodeId, toIncarnation: string): Uint8Array[] {
    const { nodeId, clusterId, incarnation } = this.options;
    const own = clusterId();
    if (own === null) throw new Error('a node without a cluster has nothing to say');
    return encodeFrame({
      clusterId: own,
      from: nodeId,
      fromIncarnation: incarnation(),
      bootId: this.bootId,
      to,
      toIncarnation,
      message,
    });
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
      wireVersion: WIRE_VERSION,
      ...handlers.hello(),
    };
  }

  private logRefusal(error: Error): void {
    const now = performance.now();
    if (now - (this.refusalLoggedMs.get(error.message) ?? -Infinity) < REFUSAL_LOG_INTERVAL_MS) return;
    if (this.refusalLoggedMs.size > 100) this.refusalLoggedMs.clear();
    this.refusalLoggedMs.set(error.message, now);
    this.options.logger.warn({ reason: error.message }, 'frame refused');
  }
}

function connect(address: string): Promise<'connected' | 'refused' | 'failed'> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = net.connect({ host, port: Number(address.slice(colon + 1)) });
    const end = (found: 'connected' | 'refused' | 'failed'): void => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end('failed'));
    socket.once('connect', () => end('connected'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'refused' : 'failed'),
    );
  });
}
