/** What a caller says about itself. Versions that do not know these headers ignore them, unlike a parameter. */
export interface SaidByCaller {
  /** User and host. */
  owner?: string | undefined;
  /** Why a change is requested. */
  reason?: string | undefined;
}

const OWNER_HEADER = 'baton-owner';
const REASON_HEADER = 'baton-reason';

/** The headers of a call, percent-encoded; none for absent values. */
export function callerHeaders({ owner, reason }: SaidByCaller): Record<string, string> {
  const said = { [OWNER_HEADER]: owner, [REASON_HEADER]: reason };
  const entries = Object.entries(said).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries.map(([name, text]) => [name, encodeURIComponent(text)]));
}

const OWNER_CHARS_MAX = 128;
const REASON_CHARS_MAX = 1000;

/** Values of the headers of a request, cut if too long; an unreadable one is absent. */
export function readCallerHeaders(headers: Record<string, string | string[] | undefined>): SaidByCaller {
  const owner = decode(headers[OWNER_HEADER])?.slice(0, OWNER_CHARS_MAX);
  const reason = decode(headers[REASON_HEADER])?.slice(0, REASON_CHARS_MAX);
  return { ...(owner && { owner }), ...(reason && { reason }) };
}

function decode(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  try {
    return decodeURIComponent(header);
  } catch {
    return undefined;
  }
}
