import { once } from 'node:events';
import net from 'node:net';

/** Reading from a connection pauses when it has this many bytes on the line. */
const QUEUED_BYTES_MAX = 64 * 1024;
const PACKET_BYTES = 4096;

/**
 * A line to `target` that all connections share, with this capacity towards the target. Answers are not delayed. First
 * come, first served, as in a router without priorities.
 */
export class SlowLine {
  /** Bytes sent to the target. */
  carriedBytes = 0;
  private readonly sockets = new Set<net.Socket>();
  private readonly server: net.Server;
  private readonly queue: { length: number; arrive: () => void }[] = [];
  private freeFromMs = 0;

  private constructor(
    target: () => net.TcpNetConnectOpts,
    private readonly bytesPerMs: number,
  ) {
    this.server = net.createServer((from) => this.join(from, net.connect(target())));
  }

  static async open(
    target: () => net.TcpNetConnectOpts,
    bytesPerMs: number,
    bind: { host: string; port: number } = { host: '127.0.0.1', port: 0 },
  ): Promise<SlowLine> {
    const line = new SlowLine(target, bytesPerMs);
    await once(line.server.listen(bind), 'listening');
    return line;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** Ends all connections. New ones are accepted. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(from: net.Socket, to: net.Socket): void {
    let queued = 0;
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          this.sockets.delete(socket);
          other.destroy();
        });
    }
    to.pipe(from);
    from.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
        const packet = bytes.subarray(at, at + PACKET_BYTES);
        queued += packet.length;
        this.carry(packet.length, () => {
          queued -= packet.length;
          if (queued < QUEUED_BYTES_MAX) from.resume();
          if (to.destroyed) return;
          this.carriedBytes += packet.length;
          to.write(packet);
        });
      }
      if (queued >= QUEUED_BYTES_MAX) from.pause();
    });
  }

  private carry(length: number, arrive: () => void): void {
    this.queue.push({ length, arrive });
    if (this.queue.length === 1) this.carryNext(performance.now());
  }

  private carryNext(fromMs: number): void {
    const [next] = this.queue;
    if (!next) return;
    this.freeFromMs = Math.max(fromMs, this.freeFromMs) + next.length / this.bytesPerMs;
    setTimeout(() => {
      this.queue.shift();
      next.arrive();
      this.carryNext(this.freeFromMs);
    }, this.freeFromMs - performance.now());
  }
}
