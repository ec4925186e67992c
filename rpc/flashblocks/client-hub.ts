import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { KIB, MIB } from '../../common/bytes.js';
import { encodeCompressedFrame, encodePlainFrame, type FlashblockFrame } from './encode-frame.js';
import type { CutReason, FlashblocksObserver } from './observer.js';
import { throttleReads } from './throttle-reads.js';

/** op-conductor's limit in frames (docs/reference/op-conductor.md §7), and one in bytes. */
export const CLIENT_LIMITS = {
  /** A client with this many unsent frames is cut. */
  unsentFrames: 256,
  /** Above the largest frame, so that two in a row do no harm. Clients share their waiting frames. */
  unsentBytes: 24 * MIB,
  /** A client that accepts nothing of its queue within this time is cut. */
  writeTimeoutMs: 5000,
  pingIntervalMs: 15_000,
  pongTimeoutMs: 10_000,
  /** Clients only send pongs. This is ten thousand times as much. */
  readBytesPerSecond: 16 * KIB,
};

/** Sending to 1,000 clients without a break would delay the heartbeats of the cluster. */
const CLIENTS_PER_TURN = 200;

interface ClientHubOptions {
  limits: typeof CLIENT_LIMITS;
  observer: FlashblocksObserver;
  /** All frames have been sent to all clients. */
  onIdle: () => void;
}

interface Client {
  socket: WebSocket;
  /** The connection below `socket`, which writes only its own whole frames to it (pings, pongs, the close). */
  connection: Socket;
  compressed: boolean;
  unsentFrames: number;
  /** When the oldest unsent frame became the oldest. */
  progressAtMs: number;
  answersPings: boolean;
  sent: () => void;
}

/** The clients of the proxy. All get the same frames in the same order. One that cannot keep up is cut off. */
export class ClientHub {
  private readonly clients = new Set<Client>();
  private queue: FlashblockFrame[] = [];
  private sending = false;
  private closed = false;
  /** Incremented when the current frames must no longer be sent. */
  private generation = 0;
  private pings: NodeJS.Timeout | undefined;
  private pongs: NodeJS.Timeout | undefined;

  constructor(private readonly options: ClientHubOptions) {}

  get size(): number {
    return this.clients.size;
  }

  /** Frames that no client has been sent yet. */
  get backlog(): number {
    return this.queue.length;
  }

  start(): void {
    this.pings = setInterval(() => void this.pingAll(), this.options.limits.pingIntervalMs);
  }

  /**
   * Adds a client. What it sends is ignored.
   * @param connection that the WebSocket runs over
   * @param compressed whether it takes frames of `encodeCompressedFrame`
   */
  add(socket: WebSocket, connection: Socket, compressed: boolean): void {
    if (this.closed) return socket.terminate();
    const client: Client = {
      socket,
      connection,
      compressed,
      unsentFrames: 0,
      progressAtMs: 0,
      answersPings: true,
      sent: () => {
        client.unsentFrames -= 1;
        client.progressAtMs = performance.now();
      },
    };
    this.clients.add(client);
    this.options.observer.clientsConnected(this.clients.size);
    throttleReads(socket, connection, this.options.limits.readBytesPerSecond);
    socket.on('pong', () => (client.answersPings = true));
    // Not left to ws: pongs to a client that does not read them would pile up.
    socket.on('ping', (data) => (this.isStuck(client) ? this.cut(client, 'slow') : socket.pong(data)));
    socket.once('close', () => {
      this.clients.delete(client);
      this.options.observer.clientsConnected(this.clients.size);
    });
  }

  /** Sends a frame to all clients, after the earlier frames. */
  broadcast(frame: FlashblockFrame): void {
    this.queue.push(frame);
    if (!this.sending) void this.sendQueued();
  }

  /** Drops the rest of what was broadcast so far. */
  forget(): void {
    this.generation += 1;
    for (const _frame of this.queue.splice(0)) this.options.observer.dropped('demoted');
  }

  /** Closes all clients, and cuts off those that remain after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.closed = true;
    clearInterval(this.pings);
    clearTimeout(this.pongs);
    this.forget();
    if (this.clients.size === 0) return;
    const cutOff = setTimeout(() => {
      for (const { socket } of this.clients) socket.terminate();
    }, graceMs);
    const gone = [...this.clients].map(
      ({ socket }) => new Promise((resolve) => void socket.once('close', resolve)),
    );
    for (const { socket } of this.clients) socket.close(1000, 'client closed');
    await Promise.all(gone);
    clearTimeout(cutOff);
  }

  private async sendQueued(): Promise<void> {
    this.sending = true;
    for (let frame = this.queue.shift(); frame; frame = this.queue.shift()) await this.sendToAll(frame);
    this.sending = false;
    this.options.onIdle();
  }

  private async sendToAll(frame: FlashblockFrame): Promise<void> {
    const { generation } = this;
    const { observer } = this.options;
    let clients = 0;
    // Once for all of them: 1,000 clients get 1,000 times the same bytes.
    const plain = encodePlainFrame(frame);
    const anyCompressed = [...this.clients].some(({ compressed }) => compressed);
    const compressed = anyCompressed ? await encodeCompressedFrame(frame) : plain;
    await this.forEach((client) => {
      if (generation !== this.generation) return false;
      clients += 1;
      this.send(client, client.compressed ? compressed : plain);
      return true;
    });
    if (generation !== this.generation) observer.dropped('demoted');
    else observer.forwarded(frame.data.length, clients);
  }

  private send(client: Client, frame: Buffer): void {
    if (client.socket.readyState !== WebSocket.OPEN) return;
    if (this.isStuck(client)) return this.cut(client, 'slow');
    if (client.unsentFrames === 0) client.progressAtMs = performance.now();
    client.unsentFrames += 1;
    client.connection.write(frame, client.sent);
  }

  private isStuck({ connection, unsentFrames, progressAtMs }: Client): boolean {
    const { limits } = this.options;
    return (
      unsentFrames >= limits.unsentFrames ||
      connection.writableLength > limits.unsentBytes ||
      (unsentFrames > 0 && performance.now() - progressAtMs > limits.writeTimeoutMs)
    );
  }

  private async pingAll(): Promise<void> {
    const pinged: Client[] = [];
    await this.forEach((client) => {
      if (client.socket.readyState !== WebSocket.OPEN) return true;
      client.answersPings = false;
      pinged.push(client);
      client.socket.ping();
      return true;
    });
    this.pongs = setTimeout(() => {
      for (const client of pinged) if (!client.answersPings) this.cut(client, 'silent');
    }, this.options.limits.pongTimeoutMs);
  }

  private cut(client: Client, reason: CutReason): void {
    if (!this.clients.delete(client)) return;
    const { observer } = this.options;
    observer.clientCut(reason);
    observer.clientsConnected(this.clients.size);
    // Without a close frame: it would wait behind everything that the client does not read.
    client.socket.terminate();
  }

  /** Visits the current clients, with other work in between, until `visit` returns false. */
  private async forEach(visit: (client: Client) => boolean): Promise<void> {
    let visited = 0;
    for (const client of [...this.clients]) {
      if (visited > 0 && visited % CLIENTS_PER_TURN === 0) await nextTurn();
      if (!visit(client)) return;
      visited += 1;
    }
  }
}
