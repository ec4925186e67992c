import { BlockList, isIP, isIPv6 } from 'node:net';
import { withoutBrackets } from './host-port.js';

/** Where the second RPC port is: for programs of this machine only. */
export type LocalAddress = { host: string; port: number } | { socketPath: string };

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Whether only programs of this machine can reach what listens on this host. */
function isLoopback(host: string): boolean {
  const bare = withoutBrackets(host);
  if (isIP(bare) === 0) return bare.toLowerCase() === 'localhost';
  return loopback.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

/**
 * Reads `host:port` on loopback, of which 0 lets the system choose, or `unix:/path`. Null for an empty text and for every
 * other one, which the rules refuse.
 */
export function parseLocalAddress(text: string): LocalAddress | null {
  const socketPath = /^unix:(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { socketPath };
  const [, host = '', digits = ''] = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return host !== '' && port <= 65_535 && isLoopback(host) ? { host: withoutBrackets(host), port } : null;
}
