import { formatHostPort, parseHostPort } from '../../raft/values.js';

export { formatHostPort, parseHostPort };

/**
 * JSON-RPC of a member: the host of its consensus address, which must be `host:port`, with the port and the scheme that
 * it names.
 */
export function rpcUrlOf(
  consensusAddress: string,
  rpcPort: number,
  scheme: 'http' | 'https' = 'http',
): string | undefined {
  const address = parseHostPort(consensusAddress);
  return address ? `${scheme}://${formatHostPort(address.host, rpcPort)}` : undefined;
}

/** A host in the form that a socket takes: an IPv6 address without its brackets. */
export function withoutBrackets(host: string): string {
  return /^\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]$/.exec(host)?.[1] ?? host;
}

/** Whether a host means "all interfaces", which one can listen on but not dial. */
export function isWildcard(host: string): boolean {
  return ['0.0.0.0', '::'].includes(withoutBrackets(host));
}

/** Whether a server on this host can be reached only from this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(withoutBrackets(host));
}
