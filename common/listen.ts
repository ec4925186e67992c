import { lookup } from 'node:dns/promises';
import { chmod, unlink } from 'node:fs/promises';
import { once } from 'node:events';
import type { Server } from 'node:http';
import net, { isIP, type AddressInfo, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

interface ListenOptions {
  /** An address, or a name, which means all its addresses. */
  host: string;
  /** 0 lets the system choose a port, the same on all addresses. */
  port: number;
  /** On all addresses together. Further connections are closed at once. */
  connectionsMax: number;
  /** Addresses of a name; the system's look-up by default. */
  resolve?: (host: string) => Promise<string[]>;
}

/** Where a server listens. */
interface Listening {
  port: number;
  /** Resolves when the connections to the further addresses have ended as well. Await it after `app.close`. */
  drained(): Promise<void>;
}

/** A port that the system chose for one address may be in use on another. */
const CHOICES_MAX = 10;

/**
 * Listens on every address of the host with one server, so that its timeouts, limits and listeners hold on all of them. By
 * default, fastify makes a second server for `localhost`, which has neither our limits nor our listeners.
 *
 * @throws the system's error when an address of this machine cannot be bound, or when none is of this machine
 */
export async function listen(app: FastifyInstance, options: ListenOptions): Promise<Listening> {
  const { server } = app;
  limitConnections(server, options.connectionsMax);
  let further: Acceptor[] = [];
  const [first, ...others] = await addressesHere(options.host, options.resolve ?? resolveAll);
  // Before the server closes: it waits for its connections, and no new ones must come in here meanwhile.
  if (others.length > 0) app.addHook('preClose', async () => further.forEach((acceptor) => acceptor.close()));
  for (let choice = 1; ; choice++) {
    try {
      further = await acceptAt(others, options.port, server);
      await app.listen({ host: first, port: further[0]?.port ?? options.port });
      break;
    } catch (error) {
      further.forEach((acceptor) => acceptor.close());
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || options.port !== 0 || choice === CHOICES_MAX) throw error;
    }
  }
  return {
    port: (server.address() as AddressInfo).port,
    drained: async () => void (await Promise.all(further.map(({ closed }) => closed))),
  };
}

/**
 * Listens on a Unix socket that only the user of this process can open. A socket that an earlier process left is removed;
 * one that is answered is not.
 *
 * @throws the system's error; `EADDRINUSE` while another process listens there
 */
export async function listenOnSocket(
  app: FastifyInstance,
  { socketPath, connectionsMax }: { socketPath: string; connectionsMax: number },
): Promise<void> {
  limitConnections(app.server, connectionsMax);
  if (await isAbandoned(socketPath)) await unlink(socketPath);
  await app.listen({ path: socketPath });
  await chmod(socketPath, 0o600);
}

async function isAbandoned(socketPath: string): Promise<boolean> {
  const socket = net.connect({ path: socketPath });
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

/** A further address of a server, which serves what is accepted here. */
class Acceptor {
  readonly closed: Promise<unknown>;
  private readonly socket: net.Server;

  private constructor(server: Server) {
    // Like the sockets of Node's HTTP servers.
    this.socket = net.createServer({ allowHalfOpen: true, noDelay: true }, (connection) =>
      server.emit('connection', connection),
    );
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
  }

  static async at(host: string, port: number, server: Server): Promise<Acceptor> {
    const acceptor = new Acceptor(server);
    await once(acceptor.socket.listen({ host, port }), 'listening');
    return acceptor;
  }

  get port(): number {
    return (this.socket.address() as AddressInfo).port;
  }

  close(): void {
    this.socket.close();
  }
}

async function acceptAt(hosts: readonly string[], port: number, server: Server): Promise<Acceptor[]> {
  const acceptors: Acceptor[] = [];
  try {
    for (const host of hosts) acceptors.push(await Acceptor.at(host, acceptors[0]?.port ?? port, server));
    return acceptors;
  } catch (error) {
    acceptors.forEach((acceptor) => acceptor.close());
    throw error;
  }
}

/** A name may have addresses that this machine lacks: `localhost` is ::1 even without IPv6. */
async function addressesHere(
  host: string,
  resolve: (host: string) => Promise<string[]>,
): Promise<[string, ...string[]]> {
  if (host === '' || isIP(host) !== 0) return [host];
  const all = [...new Set(await resolve(host))];
  if (all.length === 1) return [all[0]!];
  const tried = await Promise.all(all.map((address) => isHere(address)));
  const [first = host, ...others] = all.filter((_, at) => tried[at]);
  return [first, ...others];
}

async function resolveAll(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function isHere(host: string): Promise<boolean> {
  const tried = net.createServer();
  try {
    await once(tried.listen({ host, port: 0 }), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    tried.close();
  }
}

/** A server's own limit does not count connections that another listener accepted. */
function limitConnections(server: Server, connectionsMax: number): void {
  let open = 0;
  server.maxConnections = connectionsMax;
  server.prependListener('connection', (connection: Socket) => {
    if (open >= connectionsMax) return void connection.destroy();
    open += 1;
    connection.once('close', () => (open -= 1));
  });
}
