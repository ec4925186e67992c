import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { formatHostPort } from '../host-port.js';
import { HandshakeTurns } from './handshake-turns.js';
import { proofByCertificate, proofBySecret } from './peer-proof.js';
import { answerRefusal } from './refusal-answer.js';
import { SecurityError, type SecurityErrorCode } from './security-error.js';
import type { Credentials, PeerProof, TransportSecurity } from './security.js';
import { COMMON_OPTIONS, isBySharedKey, keyNamed, secretOptions } from './tls-options.js';
import { listenerError } from './handshake-error.js';

export interface SecureListenerOptions {
  security: TransportSecurity;
  /** Serves HTTP on a connection; without a proof it is a plain one. */
  serve(socket: Socket, raw: Socket, proof: PeerProof | undefined): void;
  onRefused(error: SecurityError, address: string): void;
}

/** From the connection to the end of the handshake. */
const HANDSHAKE_MS = 3000;
/** The first byte of a handshake. */
const HANDSHAKE_RECORD = 0x16;

interface Waiting {
  raw: Socket;
  address: string;
  timer: NodeJS.Timeout;
}

/** Takes connections, and passes on those whose other side has proved that it is a member. */
export class SecureListener {
  /** By address: a handshake that ends does not say on which connection it was. */
  private readonly waiting = new Map<string, Waiting>();
  private readonly turns = new HandshakeTurns((raw) => this.shake(raw));
  /** Which secret a handshake uses. */
  private readonly identities = new WeakMap<Socket, string>();
  private latest: { credentials: Credentials; server: Server } | undefined;

  constructor(private readonly options: SecureListenerOptions) {}

  take(raw: Socket): void {
    const address = formatHostPort(raw.remoteAddress ?? '', raw.remotePort ?? 0);
    const late = (): void => this.refuse(waiting, new SecurityError('handshake-timeout', 'it took too long'));
    const waiting = { raw, address, timer: setTimeout(late, HANDSHAKE_MS) };
    this.waiting.set(address, waiting);
    // A broken connection is not news.
    raw.on('error', () => undefined);
    raw.once('close', () => this.done(waiting));
    raw.once('readable', () => {
      const first = raw.read() as Buffer | null;
      if (!first) return;
      raw.unshift(first);
      if (first[0] === HANDSHAKE_RECORD) return this.turns.add(raw);
      this.plain(waiting);
    });
  }

  /** Ends connections that have not proved anything yet. */
  close(): void {
    for (const { raw } of this.waiting.values()) raw.destroy();
  }

  private plain(waiting: Waiting): void {
    const { raw, address } = waiting;
    const { options } = this;
    const { security } = options;
    this.done(waiting);
    if (security.acceptsPlain) {
      security.onPlain?.('listener');
      return options.serve(raw, raw, undefined);
    }
    const error = new SecurityError('peer-speaks-plain', 'a plain connection, and this node takes none');
    options.onRefused(error, address);
    answerRefusal(raw, 'peer-speaks-tls', 'this node takes secured connections only');
  }

  private shake(raw: Socket): void {
    if (!raw.destroyed) this.server().emit('connection', raw);
  }

  /** For this node's current credentials; handshakes under way end as they began. */
  private server(): Server {
    const credentials = this.options.security.credentials();
    if (this.latest?.credentials === credentials) return this.latest.server;
    const server = serverFor(credentials, (socket, identity) => this.identities.set(socket, identity));
    server.on('secureConnection', (socket) => this.secured(socket, credentials));
    server.on('tlsClientError', (error, socket) => {
      const waiting = this.waitingFor(socket);
      if (waiting) this.refuse(waiting, listenerError(error, credentials.kind));
    });
    this.latest = { credentials, server };
    return server;
  }

  private secured(socket: TLSSocket, credentials: Credentials): void {
    socket.on('error', () => undefined);
    const waiting = this.waitingFor(socket);
    if (!waiting) return void socket.destroy();
    this.done(waiting);
    const objection = objectionTo(socket, credentials);
    if (!objection) return this.options.serve(socket, waiting.raw, this.proofOf(socket, credentials));
    this.options.onRefused(objection, waiting.address);
    answerRefusal(socket, objection.code, `refused: ${objection.message}`);
  }

  private proofOf(socket: TLSSocket, credentials: Credentials): PeerProof {
    if (credentials.kind === 'certificate') return proofByCertificate(socket, credentials);
    return proofBySecret(this.identities.get(socket) ?? '');
  }

  private waitingFor({ remoteAddress = '', remotePort = 0 }: Socket): Waiting | undefined {
    return this.waiting.get(formatHostPort(remoteAddress, remotePort));
  }

  private refuse(waiting: Waiting, error: SecurityError): void {
    this.done(waiting);
    this.options.onRefused(error, waiting.address);
    waiting.raw.destroy();
  }

  private done({ address, timer, raw }: Waiting): void {
    clearTimeout(timer);
    this.turns.drop(raw);
    this.waiting.delete(address);
  }
}

function serverFor(
  credentials: Credentials,
  noteIdentity: (socket: Socket, identity: string) => void,
): Server {
  if (credentials.kind === 'secret') {
    return createServer({
      ...secretOptions,
      pskCallback: (socket, identity) => {
        noteIdentity(socket, identity);
        return keyNamed(credentials, identity);
      },
    });
  }
  // An untrusted peer is told why, which a failed handshake would not do.
  return createServer({
    ...COMMON_OPTIONS,
    ...credentials.texts,
    requestCert: true,
    rejectUnauthorized: false,
  });
}

const BY_VERDICT: Readonly<Record<string, SecurityErrorCode>> = {
  CERT_HAS_EXPIRED: 'peer-expired',
  CERT_NOT_YET_VALID: 'peer-expired',
};

/** Why a handshake that went well proves nothing; undefined when it does. */
function objectionTo(socket: TLSSocket, { kind }: Credentials): SecurityError | undefined {
  if (kind === 'secret') {
    return isBySharedKey(socket) ? undefined : new SecurityError('wrong-secret', 'no secret was proved');
  }
  if (socket.authorized) return undefined;
  const verdict = String(socket.authorizationError ?? 'no certificate');
  return new SecurityError(BY_VERDICT[verdict] ?? 'peer-not-trusted', verdict);
}
