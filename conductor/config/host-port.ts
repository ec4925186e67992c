export { formatHostPort, parseHostPort } from '../../raft/index.js';

/** A host as a socket takes it: an IPv6 address that was given in brackets, less these. */
export function withoutBrackets(host: string): string {
  return /^\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]$/.exec(host)?.[1] ?? host;
}

/** Whether a host means "all interfaces", which one can listen on but not dial. */
export function isWildcard(host: string): boolean {
  return ['0.0.0.0', '::'].includes(withoutBrackets(host));
}
