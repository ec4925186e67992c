import { endpointProblem, HTTP, parseEndpoint, WEBSOCKET } from '../../common/endpoint.js';
import type { Config } from './config.js';

const PROTOCOLS = [...HTTP, ...WEBSOCKET];

/** The given settings, by flag, as the log may show them: URLs with only scheme, host and port. */
export function shownSettings({ explicit }: Pick<Config, 'explicit'>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(explicit).map(([name, value]) => [name, shown(value)]));
}

/** If a text looks like a URL but is not one, any part of it could be a password. */
function shown(value: unknown): unknown {
  if (typeof value !== 'string' || !value.includes('://')) return value;
  return endpointProblem(value, PROTOCOLS) === undefined
    ? parseEndpoint(value, PROTOCOLS).origin
    : '(no URL)';
}
