import { isIPv6 } from 'node:net';

export interface HostPort {
  /** A name or an IP address, without the brackets of IPv6. */
  host: string;
  /** 1..65535 */
  port: number;
}

/**
 * Reads `host:port` or `[ipv6]:port`; null if it is neither, or its port cannot be dialled. An IPv6 address with a zone
 * (`fe80::1%eth0`) is refused: it means nothing to another machine.
 */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:@/%?#[\]]+)):(\d{1,5})$/.exec(text);
  if (!match || (match[1] !== undefined && !isIPv6(match[1]))) return null;
  const port = Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host: (match[1] ?? match[2])!, port } : null;
}

/** `host:port`, with the brackets that an IPv6 address needs there. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
