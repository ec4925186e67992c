import net from 'node:net';
import type { NodeId } from '../core/configuration.js';
import type { HostNames } from './host-names.js';
import { formatHostPort, type HostPort } from './host-port.js';
import { PeerFailureError, type ConnectFailure } from './peer-failure.js';
import type { SecureDialler } from './security/secure-dialler.js';

export type OpenSocket = (to: { host: string; port: number }) => net.Socket;

export interface DialOptions {
  names: HostNames;
  openSocket: OpenSocket;
  /** Secures a connected socket; without it, connections are plain. */
  secure?: SecureDialler | undefined;
  /** Monotonic clock, ms. */
  now: () => number;
}

/** When the kernel begins to ask whether a silent host still exists. */
const KEEP_ALIVE_PROBE_MS = 10_000;
/** A look-up that takes longer is not waited for while an earlier address is known. */
const LOOK_UP_PATIENCE_MS = 50;
/** A lost SYN is repeated by the kernel after 1, 3 and 7 s; after a cut of the line that is too late. */
const REPEAT_MS = 500;
/** One attempt at one address. */
const ATTEMPT_MS = 3000;
/** All attempts together, from the first of them. */
const DIAL_MS = 10_000;
/** A name with more addresses than this is not that of a node. */
const ADDRESSES_MAX = 8;

export const openTcpSocket: OpenSocket = (to) =>
  net.connect({ ...to, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS });

/**
 * One effort to connect, which lasts longer than the requests that wait for it. It tries all addresses of the host at
 * the same time, each again and again, until one of them takes the connection. When the name server is slow, it uses
 * the addresses of the previous look-up.
 */
export class Dial {
  /** @throws PeerFailureError */
  readonly socket: Promise<net.Socket>;
  private readonly begunMs: number;
  private readonly attempts = new Map<string, Set<net.Socket>>();
  /** How each address failed. */
  private readonly errors = new Map<string, string>();
  private readonly timers = new Set<NodeJS.Timeout>();
  /** Addresses that get a plain connection, since the other side supports no other. */
  private readonly plain = new Set<string>();
  private lookUp: 'under way' | 'done' | { error: string } = 'under way';
  private ended = false;
  private resolve!: (socket: net.Socket) => void;
  private reject!: (error: Error) => void;

  /** @param peer the id that the other side must prove; without it, any node there will do */
  constructor(
    private readonly to: HostPort,
    private readonly options: DialOptions,
    private readonly peer?: NodeId,
  ) {
    this.begunMs = options.now();
    this.socket = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // The caller may be gone.
    this.socket.catch(() => undefined);
    this.begin();
  }

  /** How far it has come. */
  get state(): ConnectFailure {
    const { to, lookUp, options, begunMs } = this;
    const addresses = new Set([...this.attempts.keys(), ...this.errors.keys()]);
    return {
      phase: 'connect',
      to: formatHostPort(to.host, to.port),
      forMs: options.now() - begunMs,
      ...(lookUp === 'done' ? {} : { lookUp: lookUp === 'under way' ? lookUp : lookUp.error }),
      tried: [...addresses].map((address) => ({
        address,
        error: this.errors.get(address) ?? 'no answer',
      })),
    };
  }

  /** Gives up. */
  abort(): void {
    this.fail();
  }

  private begin(): void {
    const { names } = this.options;
    const { host } = this.to;
    const lookUp = names.find(host);
    const patience = this.after(LOOK_UP_PATIENCE_MS, () => this.tryEach(names.remembered(host)));
    lookUp.then(
      (addresses) => {
        if (this.ended) return;
        this.end(patience);
        this.lookUp = 'done';
        this.tryEach(addresses);
        this.failIfHopeless();
      },
      (error: unknown) => {
        if (this.ended) return;
        this.end(patience);
        this.lookUp = { error: codeOf(error) };
        this.tryEach(names.remembered(host));
        this.failIfHopeless();
      },
    );
  }

  private tryEach(addresses: readonly string[]): void {
    if (addresses.length === 0) return;
    if (this.attempts.size === 0 && this.errors.size === 0) this.after(DIAL_MS, () => this.fail());
    for (const address of addresses.slice(0, ADDRESSES_MAX)) {
      if (!this.attempts.has(address)) this.tryAgain(address);
    }
  }

  private tryAgain(address: string): void {
    const socket = this.options.openSocket({ host: address, port: this.to.port });
    const attempts = this.attempts.get(address) ?? new Set();
    this.attempts.set(address, attempts.add(socket));
    this.errors.delete(address);
    const onError = (error: unknown): void => this.failed(address, codeOf(error));
    socket.on('error', onError);
    socket.once('connect', () => {
      if (this.ended) return;
      // Already reset by the other side, for example because its process was killed: it no longer has an address.
      if (socket.remoteAddress === undefined) return this.failed(address, 'ECONNRESET');
      // Its user learns of its end by its 'close'. An error without a listener would end this process.
      socket.off('error', onError).on('error', () => undefined);
      this.connected(address, socket);
    });
    const repeat = this.after(REPEAT_MS, () => this.tryAgain(address));
    this.after(ATTEMPT_MS, () => {
      attempts.delete(socket);
      socket.destroy();
    });
    socket.once('close', () => this.end(repeat));
  }

  private connected(address: string, socket: net.Socket): void {
    const { secure } = this.options;
    if (!secure) return this.won(address, socket);
    if (this.plain.has(address)) {
      secure.notePlain();
      return this.won(address, socket);
    }
    secure.secure(socket, this.peer, formatHostPort(address, this.to.port)).then(
      (secured) => {
        if (this.ended) secured.destroy();
        else if (secured.remoteAddress === undefined) this.failed(address, 'ECONNRESET');
        else this.won(address, socket, secured);
      },
      (error: unknown) => this.notSecured(address, socket, error),
    );
  }

  private notSecured(address: string, socket: net.Socket, error: unknown): void {
    // Its time was up, or another attempt failed.
    if (this.ended || !this.attempts.get(address)?.delete(socket)) return;
    if (!this.options.secure?.takesPlain(error)) return this.failed(address, codeOf(error));
    this.plain.add(address);
    this.tryAgain(address);
  }

  /** That address does not work, so other attempts at it need not wait. */
  private failed(address: string, error: string): void {
    if (this.ended) return;
    this.errors.set(address, error);
    for (const socket of this.attempts.get(address) ?? []) socket.destroy();
    this.attempts.delete(address);
    this.failIfHopeless();
  }

  /** The next dial uses the result of a look-up that is still under way. */
  private failIfHopeless(): void {
    const isWaiting = this.lookUp === 'under way' && this.errors.size === 0;
    if (this.attempts.size === 0 && !isWaiting) this.fail();
  }

  /** @param secured the socket to use, once it is secured */
  private won(address: string, socket: net.Socket, secured = socket): void {
    this.stop(socket);
    this.options.names.noteGood(this.to.host, address);
    this.resolve(secured);
  }

  private fail(): void {
    if (this.ended) return;
    const { state } = this;
    this.stop();
    this.reject(new PeerFailureError(state, false));
  }

  private stop(won?: net.Socket): void {
    this.ended = true;
    for (const timer of this.timers) clearTimeout(timer);
    for (const sockets of this.attempts.values()) {
      for (const socket of sockets) if (socket !== won) socket.destroy();
    }
  }

  private after(ms: number, act: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, ms);
    this.timers.add(timer);
    return timer;
  }

  private end(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.timers.delete(timer);
  }
}

const codeOf = (error: unknown): string => {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? (message || String(error));
};
