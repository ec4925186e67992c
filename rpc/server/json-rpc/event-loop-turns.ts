import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Longest time that requests may use in one turn of the event loop. */
const TURN_MS = 10;
/** Most waiting requests that are resumed in one turn. */
const WAITING_PER_TURN = 64;

/** One queue for all servers and batches of the process, because all of them share the one event loop. */
const waiting: (() => void)[] = [];
let isTurnPlanned = false;

/** Resolves in a later turn of the event loop, in the order of the calls, once earlier ones leave time in it. */
export function nextTurn(): Promise<void> {
  return new Promise(later);
}

function later(work: () => void): void {
  waiting.push(work);
  if (!isTurnPlanned) setImmediate(takeTurn);
  isTurnPlanned = true;
}

/** Each in its own immediate: only then are its promises settled, and its time spent, before the next. */
function takeTurn(): void {
  let sinceMs: number | undefined;
  const goOn = (): void => {
    sinceMs ??= performance.now();
    if (performance.now() - sinceMs < TURN_MS) waiting.shift()?.();
  };
  for (let count = Math.min(waiting.length, WAITING_PER_TURN); count > 0; count--) setImmediate(goOn);
  setImmediate(() => {
    isTurnPlanned = waiting.length > 0;
    if (isTurnPlanned) takeTurn();
  });
}

/** A server and the listener that answers its requests, by fastify's names. */
interface RoutedServer {
  server: Server;
  routing: RequestListener;
}

/**
 * Makes the requests of a server wait for later turns of the event loop when they have taken long in this one, and
 * leaves its connections unread meanwhile. Otherwise a thousand connections with a request each, or one with a
 * thousand, would be answered in one go, and heartbeats would wait.
 *
 * Only `routing` waits: other listeners, added before or after, hear of each request when it comes.
 */
export function shareTurns({ server, routing }: RoutedServer): void {
  if (!server.listeners('request').includes(routing)) throw new Error('requests are not answered by routing');
  const sockets = new Set<Socket>();
  let turnSinceMs: number | undefined;
  let held = 0;
  const hold = (request: IncomingMessage, response: ServerResponse): void => {
    if (held++ === 0) for (const socket of sockets) socket.pause();
    later(() => {
      if (--held === 0) for (const socket of sockets) socket.resume();
      if (!request.socket.destroyed) routing.call(server, request, response);
    });
  };
  const watch = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  // With TLS, the socket of a request is the one from the handshake.
  server.on('connection', watch).on('secureConnection', watch);
  server.off('request', routing);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (turnSinceMs === undefined) {
      turnSinceMs = performance.now();
      setImmediate(() => (turnSinceMs = undefined));
    }
    if (held > 0 || performance.now() - turnSinceMs > TURN_MS) hold(request, response);
    else routing.call(server, request, response);
  });
}
