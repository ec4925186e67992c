import { hideCredentials, shownUrl } from '../../common/endpoint.js';
import type { Config } from './config.js';

const HIDDEN = '***';

/** Settings whose whole value is hidden, whatever it looks like. */
const SECRET = /token|secret|passw|passphrase|credential|private|jwt/i;

/**
 * The configuration that may be passed on, as plain data. URLs keep only scheme, host and port, since user names,
 * passwords, paths and queries may hold keys.
 */
export function shownConfig(config: Config): unknown {
  return shown('', config);
}

function shown(name: string, value: unknown): unknown {
  if (typeof value === 'string' && value !== '') return SECRET.test(name) ? HIDDEN : shownText(value);
  if (Array.isArray(value)) return value.map((one) => shown(name, one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shown(key, one)]));
}

/** If a text only resembles a URL, or holds several, no part of it is known to be harmless. */
function shownText(text: string): string {
  if (!text.includes('://')) return text.includes('@') ? HIDDEN : text;
  return shownUrl(text) ?? HIDDEN;
}

/** A URL in running text: its scheme, its host and port, and the rest. */
const URLS = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s"'\\/?#]+)([^\s"'\\]*)/gi;

/** The same for every URL in the output of programs: log lines, metrics. */
export function withoutUrlSecrets(text: string): string {
  return hideCredentials(text).replace(URLS, (_, scheme: string, host: string, rest: string) =>
    /^\/?$/.test(rest) ? `${scheme}${host}${rest}` : `${scheme}${host}/${HIDDEN}`,
  );
}
