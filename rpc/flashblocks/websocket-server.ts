import type { Socket } from 'node:net';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { KIB } from '../../common/bytes.js';
import { hostOf } from '../../common/endpoint.js';
import { listen } from '../../common/listen.js';
import { sendText } from '../../common/send-text.js';
import { createServer, useTls, type TlsChoice, type TlsMaterial } from '../../common/tls-server.js';

interface WebSocketServerOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** Offers permessage-deflate to clients that ask for it. */
  compression: boolean;
  maxClients: number;
  clientCount: () => number;
  /** @param compressed agreed on permessage-deflate, with the full window */
  onClient: (socket: WebSocket, connection: Socket, compressed: boolean) => void;
  onClientError: () => void;
  /** Absent: plain HTTP. */
  tls?: TlsChoice | undefined;
}

const PATH = '/ws';
/** Clients have nothing to send. op-conductor's library cuts off longer messages as well. */
const CLIENT_MESSAGE_BYTES_MAX = 32 * KIB;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Connections beyond those of the clients, for handshakes that are refused with an answer. */
const SPARE_CONNECTIONS = 100;
/** Without a context between frames, one compressed frame fits all clients. */
const DEFLATE = { serverNoContextTakeover: true, clientNoContextTakeover: true };
/** In its offer a client may ask for a smaller window than the one we compress with. */
const SMALLER_WINDOW = /server_max_window_bits/i;

/** The HTTP side: only `/ws` is there, and only WebSocket handshakes succeed, as in op-conductor. */
export class WebSocketServer {
  private readonly app: FastifyInstance;

  constructor(private readonly options: WebSocketServerOptions) {
    this.app = createServer(
      {
        forceCloseConnections: true,
        requestTimeout: HANDSHAKE_TIMEOUT_MS,
        keepAliveTimeout: HANDSHAKE_TIMEOUT_MS,
      },
      { headersTimeout: HANDSHAKE_TIMEOUT_MS, connectionsCheckingInterval: HANDSHAKE_TIMEOUT_MS / 4 },
      options.tls,
    );
  }

  /** Rejects when the port cannot be bound. */
  async start(): Promise<{ port: number }> {
    const { host, port, compression, maxClients, onClient, onClientError } = this.options;
    const { app } = this;
    await app.register(websocket, {
      options: {
        autoPong: false,
        clientTracking: false,
        maxPayload: CLIENT_MESSAGE_BYTES_MAX,
        perMessageDeflate: compression ? DEFLATE : false,
      },
      // ws has already closed the connection.
      errorHandler: () => onClientError(),
      // The hub closes the clients.
      preClose: (done) => done(),
    });
    app.setNotFoundHandler((_request, reply) => sendText(reply, 404, '404 page not found'));
    app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) =>
      sendText(reply, error.statusCode ?? 500, error.message),
    );
    app.route({
      method: 'GET',
      url: PATH,
      preValidation: async (request, reply) => this.refuse(request, reply),
      handler: (_request, reply) =>
        sendText(
          reply.header('connection', 'Upgrade').header('upgrade', 'websocket'),
          426,
          'WebSocket protocol violation: the request asks for no upgrade',
        ),
      wsHandler: (socket, { headers, socket: connection }) => {
        const offer = headers['sec-websocket-extensions'] ?? '';
        onClient(socket, connection, socket.extensions !== '' && !SMALLER_WINDOW.test(offer));
      },
    });
    app.route({
      method: ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      url: PATH,
      handler: ({ method }, reply) =>
        sendText(
          reply,
          405,
          `WebSocket protocol violation: handshake request method is not GET but "${method}"`,
        ),
    });
    const listening = await listen(app, { host, port, connectionsMax: maxClients + SPARE_CONNECTIONS });
    return { port: listening.port };
  }

  /** The certificate from now on; needed before `start` with TLS. */
  useTls(material: TlsMaterial): void {
    useTls(this.app, material);
  }

  async stop(): Promise<void> {
    await this.app.close();
  }

  /** Pages of other sites must not connect from a browser, as with op-conductor. Other programs send no Origin. */
  private refuse({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const { origin, host = '' } = headers;
    if (origin !== undefined && hostOf(origin) !== host.toLowerCase()) {
      return sendText(reply, 403, `request Origin "${origin}" is not authorized for Host "${host}"`);
    }
    const { maxClients, clientCount } = this.options;
    return clientCount() >= maxClients ? sendText(reply, 503, 'too many clients') : undefined;
  }
}
