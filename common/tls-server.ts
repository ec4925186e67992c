import type { Server as HttpServer } from 'node:http';
import type { Server, ServerOptions } from 'node:https';
import { fastify, type FastifyInstance, type FastifyServerOptions } from 'fastify';

/** What a port needs to speak TLS, in PEM. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Client certificates that these have issued are verified; absent: none is asked for. */
  readonly clientCa?: Buffer | undefined;
}

/** How a port is to speak TLS. Its certificate comes by `useTls`, before it listens and whenever it changes. */
export interface TlsChoice {
  asksForCertificate: boolean;
}

/** Options of node's server that are the same with and without TLS. */
type CommonServerOptions = Pick<ServerOptions, 'headersTimeout' | 'connectionsCheckingInterval'>;

/** Clients of operators' tools may be older than TLS 1.3. */
const TLS_MIN_VERSION = 'TLSv1.2';
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** A server that nobody listens on yet; plain HTTP without `tls`. */
export function createServer(
  options: FastifyServerOptions<HttpServer>,
  server: CommonServerOptions,
  tls: TlsChoice | undefined,
): FastifyInstance {
  if (!tls) return fastify({ ...options, http: server });
  const https: ServerOptions = {
    ...server,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    minVersion: TLS_MIN_VERSION,
    // One that the CA has not issued is as good as none.
    ...(tls.asksForCertificate && { requestCert: true, rejectUnauthorized: false }),
  };
  // Its types tell servers with and without TLS apart; nothing here does.
  return fastify({ ...options, https } as never) as unknown as FastifyInstance;
}

/**
 * Connections from now on get this certificate; those that are open stay.
 *
 * @throws Error of OpenSSL; then the certificate before stays in use
 */
export function useTls({ server }: FastifyInstance, { cert, key, clientCa }: TlsMaterial): void {
  (server as Server).setSecureContext({ cert, key, ca: clientCa, minVersion: TLS_MIN_VERSION });
}
