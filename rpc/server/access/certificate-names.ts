import type { TLSSocket } from 'node:tls';

const KINDS = new Set(['DNS', 'URI', 'email']);
/** One entry of Node's text of alternative names, which quotes characters that could end an entry. */
const ENTRY = /(?:, )?([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)/y;

/** A connection keeps its certificate, and a certificate is not cheap to read. */
const known = new WeakMap<TLSSocket, readonly string[]>();

/**
 * The names in the client certificate of a connection: its DNS names, URIs and e-mail addresses, and the common name.
 * Empty without TLS, without a certificate, and with one that the port's CA did not issue.
 */
export function certificateNames(socket: TLSSocket): readonly string[] {
  if (!socket.authorized) return [];
  let names = known.get(socket);
  if (!names) {
    const { subject, subjectaltname = '' } = socket.getPeerCertificate();
    const common: unknown = subject?.CN;
    names = [...alternativeNames(subjectaltname), ...(typeof common === 'string' ? [common] : [])];
    known.set(socket, names);
  }
  return names;
}

/** Reads Node's text of alternative names, `DNS:a, URI:b`. Empty if any part of it cannot be read. */
export function alternativeNames(text: string): string[] {
  const names: string[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < text.length) {
    const [, kind = '', value = ''] = ENTRY.exec(text) ?? [];
    const name = value.startsWith('"') ? unquoted(value) : value;
    if (kind === '' || name === undefined) return [];
    if (KINDS.has(kind)) names.push(name);
  }
  return names;
}

function unquoted(json: string): string | undefined {
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}
