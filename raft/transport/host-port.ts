export interface HostPort {
  /** A name or an IP address, without the brackets of IPv6. */
  host: string;
  port: number;
}

/** `host:port`, or `[ipv6]:port`. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `host:port` or `[ipv6]:port`; null if it is none, or has no port that can be dialled. */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:@/[\]]+)):(\d{1,5})$/.exec(text);
  if (!match) return null;
  const port = Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host: (match[1] ?? match[2])!, port } : null;
}
