import { endpointProblem, HTTP, parseEndpoint, WEBSOCKET } from '../../common/endpoint.js';
import type { Config } from './config.js';

const PROTOCOLS = [...HTTP, ...WEBSOCKET];

/** The settings that were given, by flag, as the log may show them: of a URL only scheme, host and port. */
export function shownSettings({ explicit }: Pick<Config, 'explicit'>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(explicit).map(([name, value]) => [name, shown(value)]));
}

/** Of a text that is like a URL and is none, nobody can tell what in it is a password. */
function shown(value: unknown): unknown {
  if (typeof value !== 'string' || !value.includes('://')) return value;
  return endpointProblem(value, PROTOCOLS) === undefined
    ? parseEndpoint(value, PROTOCOLS).origin
    : '(no URL)';
}
