import { isLoopback, withoutBrackets } from './host-port.js';

/** Where the second RPC port listens: for programs on this machine only. */
export type LocalAddress = { host: string; port: number } | { socketPath: string };

/**
 * Reads `host:port` on loopback, where port 0 lets the system choose, or `unix:/path`. Null for an empty text and for
 * any other, which the rules refuse.
 */
export function parseLocalAddress(text: string): LocalAddress | null {
  const socketPath = /^unix:(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { socketPath };
  const [, host = '', digits = ''] = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return host !== '' && port <= 65_535 && isLoopback(host) ? { host: withoutBrackets(host), port } : null;
}
