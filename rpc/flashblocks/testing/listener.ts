import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';

/** A client of the proxy that records what it gets. */
export class Listener {
  readonly frames: { data: Buffer; binary: boolean }[] = [];
  /** Code and reason, once it was closed. */
  closed: { code: number; reason: string } | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data, binary) => this.frames.push({ data: data as Buffer, binary }));
    socket.on('error', () => undefined);
    socket.once('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
  }

  static async connect(port: number, options: ClientOptions = {}): Promise<Listener> {
    const listener = new Listener(new WebSocket(`ws://127.0.0.1:${port}/ws`, options));
    await once(listener.socket, 'open');
    return listener;
  }

  get texts(): string[] {
    return this.frames.map(({ data }) => data.toString('latin1'));
  }

  stop(): void {
    this.socket.terminate();
  }
}
