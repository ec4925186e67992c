import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Knows which requests of a server are still open, and ends those that would never end. */
export class AnswersUnderWay {
  private readonly bySocket = new WeakMap<Socket, Set<ServerResponse>>();
  private count = 0;

  /**
   * @param unreadTimeoutMs an answer must have been read within this time
   * @param onChange called whenever an answer has ended
   */
  constructor(
    server: Server,
    private readonly unreadTimeoutMs: number,
    private readonly onChange = (): void => undefined,
  ) {
    server.on('request', (request, response) => this.begin(request, response));
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  private begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const responses = this.responsesTo(socket).add(response);
    this.count++;
    // A client that does not read its answer would keep it in memory forever.
    let unread: NodeJS.Timeout | undefined;
    response.once('prefinish', () => {
      if (responses.has(response)) unread = setTimeout(() => socket.destroy(), this.unreadTimeoutMs);
    });
    response.once('finish', () => {
      // The rest of an unread body would still be parsed, in chunks of a byte.
      if (!request.complete && request.headers['transfer-encoding'] !== undefined) socket.destroy();
    });
    response.once('close', () => {
      clearTimeout(unread);
      responses.delete(response);
      this.count--;
      this.onChange();
    });
  }

  private responsesTo(socket: Socket): Set<ServerResponse> {
    const known = this.bySocket.get(socket);
    if (known) return known;
    const responses = new Set<ServerResponse>();
    this.bySocket.set(socket, responses);
    // Node ends only the first of pipelined requests when a connection breaks: the others would be kept forever. They
    // end by the event, because bodies, decoders and gauges also release a response at its 'close'.
    socket.once('close', () =>
      setImmediate(() => [...responses].forEach((response) => response.emit('close'))),
    );
    return responses;
  }
}
