import type { Socket } from 'node:net';

/**
 * The connections on which no frame for this node has come yet: port scanners, health checkers, half-open leftovers.
 * Their number is limited; one more ends the oldest, so that they never keep a peer from being heard.
 */
export class UnidentifiedConnections {
  /** The oldest first. */
  private readonly sockets = new Set<Socket>();

  constructor(private readonly atMost: number) {}

  add(socket: Socket): void {
    const [oldest] = this.sockets;
    if (oldest && this.sockets.size >= this.atMost) {
      this.sockets.delete(oldest);
      oldest.destroy();
    }
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }

  /** A frame for this node came, so the connection is a peer's. */
  recognise(socket: Socket): void {
    this.sockets.delete(socket);
  }
}
