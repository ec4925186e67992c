/** `TYPE:value` of node's text, whose value is JSON where it has special characters. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;
const ID_SCHEME = 'baton:';

/**
 * The server ids that a certificate names: those of its URI SANs `baton:ID` (percent-encoded where needed) or, only if
 * it has none, its DNS SANs unchanged. A wildcard names nobody.
 *
 * @param subjectAltName in the form of node's `subjectaltname`; empty when it cannot be read
 */
export function serverIdsIn(subjectAltName: string | undefined): ReadonlySet<string> {
  const uris = new Set<string>();
  const dns = new Set<string>();
  let hasOwnUri = false;
  for (const [type, value] of entriesOf(subjectAltName ?? '')) {
    if (type === 'DNS' && !value.includes('*')) dns.add(value);
    if (type !== 'URI' || !value.startsWith(ID_SCHEME)) continue;
    hasOwnUri = true;
    const id = decoded(value.slice(ID_SCHEME.length));
    if (id) uris.add(id);
  }
  return hasOwnUri ? uris : dns;
}

/** The URI that names a server id. */
export const uriOf = (serverId: string): string => ID_SCHEME + encodeURIComponent(serverId);

/** Nothing, if any part of the text cannot be read: what follows might be read wrongly. */
function entriesOf(text: string): [type: string, value: string][] {
  const entries: [string, string][] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < text.length) {
    const [, type, value] = ENTRY.exec(text) ?? [];
    if (type === undefined || value === undefined) return [];
    const plain = value.startsWith('"') ? unquoted(value) : value;
    if (plain === undefined) return [];
    entries.push([type, plain]);
  }
  return entries;
}

function unquoted(json: string): string | undefined {
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
