import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { listen, listenOnSocket } from '../../../common/listen.js';
import { sendText } from '../../../common/send-text.js';
import { createServer, useTls, type TlsChoice, type TlsMaterial } from '../../../common/tls-server.js';
import { Gate } from '../access/gate.js';
import type { AccessControl } from '../access/access-control.js';
import { AnswersUnderWay } from './answers-under-way.js';
import { BodyReader } from './body-reader.js';
import { readCallerHeaders } from '../../clients/caller-headers.js';
import { RemoteCaller } from './caller.js';
import { LARGE_BODY_BYTES, type Dispatcher, type LargeBodies } from './dispatcher.js';
import { shareTurns } from './event-loop-turns.js';
import { MemoryBudget } from './memory-budget.js';

/** Adds routes beside `/` and `/healthz`; bodies come as buffers. */
export type AddRoutes = (app: FastifyInstance, gate: Gate) => void;

export type HttpServerOptions = CommonOptions & ListenAt;

/** Where a server listens. */
export type ListenAt =
  | {
      /** An address, or a name for all addresses that it resolves to. */
      host: string;
      /** 0 lets the system choose. */
      port: number;
    }
  | {
      /** A Unix socket, only for the user of this process. */
      socketPath: string;
    };

/** Everything but the listening address. */
export interface CommonOptions {
  dispatcher: Dispatcher;
  largeBodies: LargeBodies;
  /** Answered by `/healthz`. */
  version: string;
  logger: Logger;
  bodyLimitBytes: number;
  /** Further ones are closed at once: this port must not take the file descriptors that consensus and the disk need. */
  connectionsMax: number;
  /** A request must have arrived whole within this time, and its answer must have been read within as much. */
  readTimeoutMs: number;
  /** How long a connection without a request is kept. */
  idleTimeoutMs: number;
  /** Who may call what. */
  access: AccessControl;
  /** Absent: plain HTTP. Otherwise `useTls` must be called before `start`. */
  tls?: TlsChoice | undefined;
  addRoutes?: AddRoutes;
}

/** A started server accepts requests; see `createRpcServer`. */
export interface HttpServer {
  /** Rejects when the port cannot be bound. The port of a Unix socket is 0. */
  start(): Promise<{ port: number }>;
  /**
   * Connections from now on get this certificate; open ones stay.
   *
   * @throws Error of OpenSSL; then the certificate before stays in use
   */
  useTls(material: TlsMaterial): void;
  /**
   * Refuses new requests at once, lets those under way finish for up to `graceMs`, then cuts them off. Must not
   * be awaited inside a method handler: the handler is one of those under way.
   */
  stop(graceMs: number): Promise<void>;
}

const ACCEPTED_TYPES = new Set(['application/json', 'application/json-rpc', 'application/jsonrequest']);
/** Every HTTP method that a route must answer. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Bodies of the largest size that may be under way at once; smaller ones accordingly more. */
const BODIES_IN_MEMORY_MAX = 4;
// A client that sends its body slower than this notices a time-out at most this much later.
const TIMEOUT_CHECKS_PER_READ_TIMEOUT = 6;

/** The HTTP side of op-service's RPC server: docs/reference/op-conductor.md §2.1. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  let stopping = false;
  let drained = async (): Promise<void> => undefined;
  const { readTimeoutMs } = options;
  const app = createServer(
    {
      bodyLimit: options.bodyLimitBytes,
      requestTimeout: readTimeoutMs,
      keepAliveTimeout: options.idleTimeoutMs,
    },
    {
      headersTimeout: readTimeoutMs,
      connectionsCheckingInterval: Math.ceil(readTimeoutMs / TIMEOUT_CHECKS_PER_READ_TIMEOUT),
    },
    options.tls,
  );
  app.removeAllContentTypeParsers();
  const budget = new MemoryBudget(BODIES_IN_MEMORY_MAX * options.bodyLimitBytes);
  const bodies = new BodyReader(options.bodyLimitBytes, budget);
  const gate = new Gate(options.access, LARGE_BODY_BYTES);
  const responses = new WeakMap<IncomingMessage, ServerResponse>();
  app.addHook('onRequest', async (request, reply) => void responses.set(request.raw, reply.raw));
  app.addContentTypeParser('*', (request: FastifyRequest) =>
    bodies.read(request.raw, responses.get(request.raw) as ServerResponse),
  );
  // go-ethereum also answers calls sent by GET.
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply, options));
  app.setNotFoundHandler(sendNotFound);
  addOwnRoutes(app, options, gate);
  options.addRoutes?.(app, gate);
  const cutOffWhenIdle = (): void => {
    // Node counts a connection that never sent a byte as active and would wait for it.
    if (stopping && underWay.isEmpty) app.server.closeAllConnections();
  };
  shareTurns(app);
  const underWay = new AnswersUnderWay(app.server, options.readTimeoutMs, cutOffWhenIdle);

  return {
    start: async () => {
      if ('socketPath' in options) {
        await listenOnSocket(app, options);
        return { port: 0 };
      }
      const listening = await listen(app, options);
      drained = () => listening.drained();
      return { port: listening.port };
    },
    useTls: (material) => useTls(app, material),
    stop: async (graceMs) => {
      stopping = true;
      const cutOff = setTimeout(() => app.server.closeAllConnections(), graceMs);
      try {
        const closed = app.close();
        cutOffWhenIdle();
        await closed;
        await drained();
      } finally {
        clearTimeout(cutOff);
      }
    },
  };
}

function addOwnRoutes(app: FastifyInstance, options: HttpServerOptions, gate: Gate): void {
  app.route({
    url: '/',
    method: METHODS,
    onRequest: async (request, reply) =>
      (await checkRequest(request, reply, options.bodyLimitBytes)) ?? gate.admit(request, reply),
    handler: async (request, reply) => {
      const { dispatcher, largeBodies } = options;
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const said = readCallerHeaders(request.headers);
      const caller = new RemoteCaller(request.socket, reply.raw, { ...said, ...gate.callerOf(request) });
      return sendParts(
        reply,
        body.length > LARGE_BODY_BYTES
          ? await dispatcher.handleLarge(body, largeBodies, caller)
          : await dispatcher.handle(body, caller),
      );
    },
  });
  const health = Buffer.from(`${JSON.stringify({ version: options.version })}\n`);
  for (const url of ['/healthz', '/healthz/']) {
    app.route({ url, method: METHODS, handler: async (_request, reply) => sendJson(reply, health) });
  }
}

/** Decisions of go-ethereum from the headers alone; answers requests that need no body. */
async function checkRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  bodyLimitBytes: number,
): Promise<FastifyReply | undefined> {
  const { method, headers } = request;
  if (headers.origin !== undefined) {
    reply.header('access-control-allow-origin', '*').header('vary', 'Origin');
    if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
      return sendPreflight(request, reply);
    }
  }
  const contentLength = Number(headers['content-length'] ?? 0);
  const hasBody = contentLength > 0 || headers['transfer-encoding'] !== undefined;
  if (method === 'GET' && !hasBody && !request.url.includes('?')) return reply.send();
  if (method === 'PUT' || method === 'DELETE') return sendText(reply, 405, 'method not allowed');
  if (contentLength > bodyLimitBytes) {
    return sendText(reply, 413, `content length too large (${contentLength}>${bodyLimitBytes})`);
  }
  const mediaType = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (method !== 'OPTIONS' && !ACCEPTED_TYPES.has(mediaType)) return sendUnsupportedType(reply);
  return undefined;
}

function sendPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const wanted = request.headers['access-control-request-headers'];
  if (wanted !== undefined) reply.header('access-control-allow-headers', wanted);
  return reply
    .header('access-control-allow-methods', 'POST, GET')
    .header('access-control-max-age', '600')
    .code(204)
    .send();
}

function sendError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  options: HttpServerOptions,
): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status === 413) return sendText(reply, 413, `content length too large (>${options.bodyLimitBytes})`);
  if (status === 415) return sendUnsupportedType(reply);
  if (status < 500) return sendText(reply, status, error.message);
  options.logger.error({ err: error, url: request.url }, 'RPC request failed unexpectedly');
  return sendText(reply, 500, 'internal server error');
}

/** Like Go's request multiplexer, which sends clients that doubled the slash to the clean path. */
function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const doubledSlash = /^\/{2,}(\?.*)?$/.exec(request.url);
  if (doubledSlash) {
    return reply
      .code(307)
      .header('location', `/${doubledSlash[1] ?? ''}`)
      .send();
  }
  return sendText(reply, 404, '404 page not found');
}

function sendUnsupportedType(reply: FastifyReply): FastifyReply {
  return sendText(reply, 415, 'invalid content type, only application/json is supported');
}

/** One after the other, as the client reads them: joining 32 MiB would hold up the event loop. */
function sendParts(reply: FastifyReply, parts: readonly Buffer[]): FastifyReply {
  const [first, second] = parts;
  if (!first || !second) return sendJson(reply, first ?? Buffer.alloc(0));
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  return reply.type('application/json').header('content-length', bytes).send(Readable.from(parts));
}

/** Sends bytes, because fastify adds a charset to the type of a JSON string. */
function sendJson(reply: FastifyReply, json: Buffer): FastifyReply {
  return reply.type('application/json').send(json);
}
