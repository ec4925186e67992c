interface HostPort {
  /** Without the brackets of an IPv6 address. */
  host: string;
  /** 1..65535 */
  port: number;
}

/** Reads `host:port` or `[ipv6]:port`; null if it is none, or has no port that can be dialled. */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:@/[\]]+)):(\d{1,5})$/.exec(text);
  if (!match) return null;
  const port = Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host: (match[1] ?? match[2])!, port } : null;
}

/** Whether a host means "all interfaces", which one can listen on but not dial. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '[::]';
}
