import { endpointProblem } from '../../../common/endpoint.js';
import { parseHostPort } from '../../config/host-port.js';

/** The URLs for addresses given as URLs or as `host:port`. */
export function urlsOf(given: readonly string[]): string[] {
  return given.map((text) => (parseHostPort(text.trim()) ? `http://${text.trim()}` : text.trim()));
}

/** The problem of the first unusable address, by its place; undefined if all are usable. Quotes none of the text. */
export function addressesProblem(given: readonly string[]): string | undefined {
  for (const [at, url] of urlsOf(given).entries()) {
    const problem = endpointProblem(url);
    // If a text is not a URL, any part of it could be a password.
    if (problem !== undefined) return given.length === 1 ? problem : `no. ${at + 1}: ${problem}`;
  }
  return undefined;
}
