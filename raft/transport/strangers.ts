import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections on which no frame for this node came yet: port scanners, health checkers, half-open leftovers.
 * So many are kept; one more ends the oldest, so that they never keep a peer from being heard.
 */
export class Strangers {
  /** The oldest first. */
  private readonly sockets = new Set<Socket>();

  constructor(server: Server, atMost: number) {
    server.on('connection', (socket: Socket) => {
      const [oldest] = this.sockets;
      if (oldest && this.sockets.size >= atMost) this.end(oldest);
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** A frame for this node came. */
  isPeer(socket: Socket): void {
    this.sockets.delete(socket);
  }

  private end(socket: Socket): void {
    this.sockets.delete(socket);
    socket.destroy();
  }
}
