import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';

/** A rollup-boost that sends what a test tells it to. */
export class FakeUpstream {
  private constructor(private readonly server: WebSocketServer) {}

  /** @param port 0 lets the system choose */
  static async start(port = 0, options: ServerOptions = {}): Promise<FakeUpstream> {
    const server = new WebSocketServer({ host: '127.0.0.1', port, ...options });
    await once(server, 'listening');
    return new FakeUpstream(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  get connections(): WebSocket[] {
    return [...this.server.clients];
  }

  /** Resolves with the next connection, whole handshake included. */
  async nextConnection(): Promise<WebSocket> {
    return ((await once(this.server, 'connection')) as [WebSocket])[0];
  }

  /** A string becomes a text frame, bytes a binary one. */
  send(data: string | Buffer): void {
    for (const connection of this.server.clients) connection.send(data);
  }

  async stop(): Promise<void> {
    for (const connection of this.server.clients) connection.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
