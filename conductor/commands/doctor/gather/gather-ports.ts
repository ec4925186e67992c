import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, isIP } from 'node:net';
import { listening, ListenError } from '../../../../common/listen-error.js';
import type { Config } from '../../../config/config.js';
import type { PortFacts } from '../facts.js';

interface Wanted {
  name: string;
  flags: readonly [string, string];
  listenHost: string;
  listenPort: number;
}

/** Listens for a moment on each port that `baton run` would listen on. Never rejects. */
export async function gatherPorts(config: Config): Promise<PortFacts[]> {
  return Promise.all(wantedPorts(config).map(examinePort));
}

function wantedPorts({ consensus, rpc, metrics, flashblocks }: Config): Wanted[] {
  const wanted: Wanted[] = [
    { name: 'consensus', flags: ['consensus.addr', 'consensus.port'], ...consensus },
    { name: 'RPC', flags: ['rpc.addr', 'rpc.port'], ...rpc },
  ];
  if (metrics.enabled) wanted.push({ name: 'metrics', flags: ['metrics.addr', 'metrics.port'], ...metrics });
  if (flashblocks.upstreamUrl !== '') {
    const flags = ['websocket.server-addr', 'websocket.server-port'] as const;
    wanted.push({ name: 'flashblocks', flags, ...flashblocks });
  }
  return wanted;
}

async function examinePort({ name, flags, listenHost: host, listenPort: port }: Wanted): Promise<PortFacts> {
  try {
    await listening(name, flags, () => tryEach(host, port));
    return { name, host, port, problem: null };
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const { code, message, remedy } = error;
    return { name, host, port, problem: { code, message, remedy } };
  }
}

/** A name may resolve to further addresses; those that are not of this machine are not listened on. */
async function tryEach(host: string, port: number): Promise<void> {
  if (isIP(host) !== 0) return tryOne(host, port);
  const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
  const results = await Promise.allSettled(addresses.map((address) => tryOne(address, port)));
  const errors = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as NodeJS.ErrnoException] : [],
  );
  const isElsewhere = ({ code }: NodeJS.ErrnoException): boolean =>
    code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
  const hard = errors.find((error) => !isElsewhere(error));
  if (hard) throw hard;
  if (errors.length === addresses.length && errors[0]) throw errors[0];
}

async function tryOne(host: string, port: number): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  await once(server.listen({ host, port }), 'listening');
  server.close();
  await once(server, 'close');
}
