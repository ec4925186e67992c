/**
 * Preloaded into a process of a pod (`node --import`): gives it the pod's network on one machine. A server on all
 * interfaces listens on the pod's own loopback address, names of pods lead to theirs, and 127.0.0.1 is the pod itself.
 */
import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

export interface PodNetwork {
  /** The pod's address, one of 127.0.0.0/8. */
  ip: string;
  /** Address of every pod, by its name in the cluster's DNS. */
  hosts: Record<string, string>;
  /** The real addresses of the programs at these ports of the pod's 127.0.0.1. */
  ports: Record<number, number>;
}

interface Target {
  host?: string;
  port?: number;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

const pod = JSON.parse(process.env['POD_NETWORK'] ?? '') as PodNetwork;

const server = net.Server.prototype as unknown as { listen: Method };
const { listen } = server;
server.listen = function (options, ...rest) {
  const { host } = options as Target;
  return listen.call(this, host === '0.0.0.0' ? { ...(options as Target), host: pod.ip } : options, ...rest);
};

const names = dns as unknown as { lookup: (host: string, options?: { all?: boolean }) => Promise<unknown> };
const { lookup } = names;
names.lookup = async (host, options) => {
  const address = pod.hosts[host];
  if (address === undefined) return lookup(host, options);
  return options?.all ? [{ address, family: 4 }] : { address, family: 4 };
};
syncBuiltinESMExports();

const socket = net.Socket.prototype as unknown as { connect: Method };
const { connect } = socket;
socket.connect = function (...args) {
  // net.connect() passes its arguments as one array.
  const target = (Array.isArray(args[0]) ? args[0][0] : args[0]) as Target;
  const named = target.host === undefined ? undefined : pod.hosts[target.host];
  const local = target.host === '127.0.0.1' && target.port !== undefined;
  const realPort = local ? pod.ports[target.port!] : undefined;
  if (named !== undefined) target.host = named;
  else if (realPort !== undefined) target.port = realPort;
  else if (local) target.host = pod.ip;
  return connect.apply(this, args);
};
