import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify';
import type { NodeId } from '../core/configuration.js';
import type { Admission } from './admission.js';
import { serveAsks, type AnswerMember, type AskServerOptions } from './ask-server.js';
import { BodyBudget } from './body-budget.js';
import { FrameError } from './errors.js';
import { decodeFrame, type Frame } from './frame.js';
import { notCounted, type Standing } from './peer-identities.js';
import { WRITING_HEADER, type FrameHeaders } from './frame-headers.js';
import { HELLO_PATH, type HelloAnswer } from './hello.js';
import { FRAME_TYPE, MESSAGE_PATH } from './peer-lanes.js';
import type { Refusals } from './refusals.js';
import type { PeerProofs } from './security/peer-proof.js';
import { SecureListener } from './security/secure-listener.js';
import type { SecurityError } from './security/security-error.js';
import type { TransportSecurity } from './security/security.js';
import { UnidentifiedConnections } from './unidentified-connections.js';
import type { WireResponse } from './wire-message.js';
import type { WireVersions } from './wire-versions.js';

/** A request that counts here. */
export interface ReceivedFrame {
  frame: Frame;
  /** The version of the request, and so of its answer. */
  version: number;
  socket: Socket;
  /** Answers it, once; null says that no answer will come. */
  respond: (response: WireResponse | null) => void;
}

export interface FrameServerOptions {
  bind: { host: string; port: number };
  /** Largest frame. All frames arriving at once may hold four times as much. */
  bodyLimitBytes: number;
  wireVersions: WireVersions;
  admission: Admission;
  refusals: Refusals;
  /** Without it, connections are plain. */
  security: TransportSecurity | undefined;
  proofs: PeerProofs;
  onConnectionRefused(error: SecurityError, address: string): void;
  clusterId: () => string | null;
  /** Whether the process that sent a frame or request counts. */
  standing: AskServerOptions['standing'];
  /** The first frame for this disk came, while it belongs to no cluster yet. */
  adoptCluster: (clusterId: string) => Promise<void>;
  helloAnswer(): HelloAnswer;
  /** Answers requests of members for the application; undefined: this release does not know such requests. */
  answerMember: AnswerMember | undefined;
  /** How long a write of this node's disk has been under way, ms. */
  writingForMs: () => number;
  encode(response: WireResponse, to: NodeId, toIncarnation: string, version: number): Uint8Array[];
  onFrame(received: ReceivedFrame): void;
}

/** A connection whose request has waited this long is closed; its sender gave up long before. */
const UNANSWERED_MS = 30_000;
const SERVER_IDLE_MS = 75_000;
/** A write that takes longer is reported to the peer that waits for an answer. */
const SLOW_WRITE_MS = 200;
/** Peers have a handful each; more are closed at once. */
const CONNECTIONS_MAX = 512;
const UNIDENTIFIED_MAX = 256;
/** Frames of the largest size that may be under way at once; smaller ones accordingly more. */
const BODIES_IN_MEMORY_MAX = 4;

/** The HTTP server of a node: passes on the frames for this node, refuses others, and answers `hello`. */
export class FrameServer {
  private readonly app;
  private readonly bodies: BodyBudget;
  private readonly admitted = new WeakMap<IncomingMessage, FrameHeaders & { response: ServerResponse }>();
  private readonly unidentified = new UnidentifiedConnections(UNIDENTIFIED_MAX);
  private readonly listener: SecureListener | undefined;
  private adopting: Promise<void> | undefined;

  constructor(private readonly options: FrameServerOptions) {
    const { admission, refusals } = options;
    this.bodies = new BodyBudget(BODIES_IN_MEMORY_MAX * options.bodyLimitBytes);
    this.app = fastify({
      keepAliveTimeout: SERVER_IDLE_MS,
      connectionTimeout: UNANSWERED_MS,
      requestTimeout: UNANSWERED_MS,
      forceCloseConnections: true,
      return503OnClosing: false,
    });
    this.app.server.maxConnections = CONNECTIONS_MAX;
    this.listener = this.takeConnections();
    this.app.addContentTypeParser(FRAME_TYPE, ({ raw }: FastifyRequest) => {
      const { response, byteLength } = this.headersOf(raw);
      return this.bodies.read(raw, response, byteLength);
    });
    // Before the body: a stranger must not make us read it.
    const admit = async ({ raw }: FastifyRequest, reply: FastifyReply): Promise<void> => {
      this.admitted.set(raw, { ...admission.checkHeaders(raw.headers), response: reply.raw });
      this.unidentified.recognise(raw.socket);
    };
    this.app.post(MESSAGE_PATH, { onRequest: admit }, (incoming, reply) => this.onFrame(incoming, reply));
    this.app.get(HELLO_PATH, () => options.helloAnswer());
    const { proofs, standing, answerMember: answer } = options;
    if (answer) serveAsks(this.app, { admission, proofs, admit, standing, answer });
    this.app.setErrorHandler((error: Error, _request, reply) => refusals.answer(error, reply));
  }

  /** @returns where it listens */
  async start(): Promise<{ host: string; port: number }> {
    await this.app.listen(this.options.bind);
    const address = this.app.server.address() as AddressInfo;
    return { host: address.address, port: address.port };
  }

  async stop(): Promise<void> {
    this.listener?.close();
    await this.app.close();
  }

  /** The HTTP server gets a connection only after it is secured, if it must be. */
  private takeConnections(): SecureListener | undefined {
    const { server } = this.app;
    const { security, proofs } = this.options;
    const [serveHttp] = server.listeners('connection') as ((socket: Socket) => void)[];
    server.prependListener('connection', (socket: Socket) => this.unidentified.add(socket));
    if (!security) return undefined;
    server.off('connection', serveHttp!);
    const listener = new SecureListener({
      security,
      serve: (socket, raw, proof) => {
        this.unidentified.recognise(raw);
        this.unidentified.add(socket);
        if (proof) proofs.note(socket, proof);
        serveHttp!.call(server, socket);
      },
      onRefused: (...what) => this.options.onConnectionRefused(...what),
    });
    server.on('connection', (raw: Socket) => listener.take(raw));
    return listener;
  }

  private headersOf(request: IncomingMessage): FrameHeaders & { response: ServerResponse } {
    const headers = this.admitted.get(request);
    if (!headers) throw new Error('a request that was not admitted');
    return headers;
  }

  /** Throws to refuse; fastify waits for the reply otherwise. */
  private onFrame(incoming: FastifyRequest, reply: FastifyReply): void {
    const { admission, wireVersions, clusterId, adoptCluster } = this.options;
    if (!Buffer.isBuffer(incoming.body)) throw new FrameError('wrong-length', 'a request without a body');
    const frame = decodeFrame(incoming.body, wireVersions);
    const objection = this.options.proofs.objection(incoming.socket, frame.from);
    if (objection !== undefined) throw new FrameError('wrong-sender', objection);
    admission.check(frame, undefined);
    if (clusterId() !== null) return this.identify(frame, incoming, reply);
    // One cluster at a time: the second is checked against the first.
    this.adopting ??= adoptCluster(frame.clusterId).finally(() => (this.adopting = undefined));
    this.adopting
      .then(() => {
        admission.check(frame, undefined);
        this.identify(frame, incoming, reply);
      })
      .catch((error: Error) => reply.send(error));
  }

  /** Frames of a process wait, in order, while the process is looked up. */
  private identify(frame: Frame, incoming: FastifyRequest, reply: FastifyReply): void {
    const judge = (standing: Standing): void => {
      if (standing !== 'counts') throw notCounted(frame, standing);
      this.accept(frame, incoming, reply);
    };
    const standing = this.options.standing(frame);
    if (typeof standing === 'string') return judge(standing);
    standing.then(judge).catch((error: Error) => reply.send(error));
  }

  private accept(frame: Frame, { raw, socket }: FastifyRequest, reply: FastifyReply): void {
    const { from, fromIncarnation } = frame;
    const { version } = this.headersOf(raw);
    // An answer that never comes must not keep the request's body in memory.
    let open: FastifyReply | undefined = reply;
    reply.raw.once('close', () => (open = undefined));
    const respond = (response: WireResponse | null): void => {
      if (response) {
        const writingForMs = this.options.writingForMs();
        if (writingForMs >= SLOW_WRITE_MS) open?.header(WRITING_HEADER, Math.round(writingForMs));
        void open
          ?.type(FRAME_TYPE)
          .send(Buffer.concat(this.options.encode(response, from, fromIncarnation, version)));
      } else {
        void open?.code(503).send({ code: 'unanswered', message: 'events overtook this request' });
      }
      open = undefined;
    };
    this.options.onFrame({ frame, version, socket, respond });
  }
}
