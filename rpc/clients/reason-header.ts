/** Who asks for a change and why, percent-encoded. Versions that do not know it ignore it, which a parameter would not be. */
export const REASON_HEADER = 'baton-reason';

/** @param reason undefined: no such header */
export function reasonHeader(reason: string | undefined): Record<string, string> {
  return reason === undefined ? {} : { [REASON_HEADER]: encodeURIComponent(reason) };
}

const CHARS_MAX = 1000;

/** The reason of a request, cut where it is too long; undefined without one, or with one that cannot be read. */
export function readReason(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  try {
    return decodeURIComponent(header).slice(0, CHARS_MAX);
  } catch {
    return undefined;
  }
}
