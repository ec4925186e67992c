import type { Logger } from 'pino';
import type { TlsChoice, TlsMaterial } from '../../common/tls-server.js';
import { CLIENT_LIMITS, ClientHub } from './client-hub.js';
import type { FlashblocksObserver } from './observer.js';
import { UPSTREAM_TIMES, UpstreamConnection } from './upstream-connection.js';
import { WebSocketServer } from './websocket-server.js';

export interface FlashblocksProxyOptions {
  /** Of rollup-boost or the builder, `ws://` or `wss://`. */
  upstreamUrl: string;
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** Agrees on permessage-deflate with clients that offer it; a frame is compressed once for all of them. */
  compression: boolean;
  /** Of the server for clients; absent: no TLS. */
  tls?: TlsChoice | undefined;
  /** Whether this node leads now. Call `leadershipChanged` whenever the answer may have changed. */
  isLeader: () => boolean;
  observer: FlashblocksObserver;
  logger: Logger;
  /** By default op-conductor's. */
  upstreamTimes?: Partial<typeof UPSTREAM_TIMES>;
  /** By default op-conductor's. */
  clientLimits?: Partial<typeof CLIENT_LIMITS>;
  maxClients?: number;
}

const MAX_CLIENTS = 10_000;

/**
 * Passes the flashblocks of the local builder on to WebSocket clients while this node leads. So a client of all conductors
 * hears only the active builder (docs/reference/op-conductor.md §7).
 *
 * The upstream is always read, and its frames are dropped while this node does not lead. op-conductor leaves them unread
 * instead, and forwards the backlog once it leads.
 */
export class FlashblocksProxy {
  private readonly upstream: UpstreamConnection;
  private readonly hub: ClientHub;
  private readonly server: WebSocketServer;
  private wasLeader = false;
  /** Frames may still be from before the promotion. */
  private fenced = false;

  constructor(private readonly options: FlashblocksProxyOptions) {
    const { observer, logger, maxClients = MAX_CLIENTS } = options;
    this.upstream = new UpstreamConnection({
      url: options.upstreamUrl,
      logger,
      observer,
      times: { ...UPSTREAM_TIMES, ...options.upstreamTimes },
      onOpen: () => this.fence(),
      onFrame: (data, binary) => this.onFrame(data, binary),
    });
    this.hub = new ClientHub({
      limits: { ...CLIENT_LIMITS, ...options.clientLimits },
      observer,
      onIdle: () => this.upstream.resume(),
    });
    this.server = new WebSocketServer({
      host: options.host,
      port: options.port,
      compression: options.compression,
      maxClients,
      clientCount: () => this.hub.size,
      onClient: (...client) => this.hub.add(...client),
      onClientError: () => observer.clientCut('error'),
      tls: options.tls,
    });
  }

  /** The certificate from now on; needed before `start` with TLS. */
  useTls(material: TlsMaterial): void {
    this.server.useTls(material);
  }

  /** Rejects when the port cannot be bound. A missing upstream is not an error. */
  async start(): Promise<{ port: number }> {
    const bound = await this.server.start();
    this.hub.start();
    this.upstream.start();
    return bound;
  }

  /** Closes all connections; a client that has not gone after `graceMs` is cut off. */
  async stop(graceMs: number): Promise<void> {
    this.upstream.stop();
    await this.hub.close(graceMs);
    await this.server.stop();
  }

  /** Nothing from before is sent any longer, whether this node leads now or not. */
  leadershipChanged(): void {
    this.wasLeader = this.options.isLeader();
    this.hub.forget();
    this.fence();
  }

  private fence(): void {
    this.fenced = true;
    this.upstream.waitForFence(() => (this.fenced = false));
  }

  private onFrame(data: Buffer, binary: boolean): void {
    const { isLeader, observer } = this.options;
    const leads = isLeader();
    if (leads !== this.wasLeader) this.leadershipChanged();
    if (!leads) return observer.dropped('not-leader');
    if (this.fenced) return observer.dropped('stale');
    this.hub.broadcast({ data, binary });
    // Reads on when all clients have been served.
    if (this.hub.backlog > 0) this.upstream.pause();
  }
}
