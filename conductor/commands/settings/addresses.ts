import { endpointProblem } from '../../../common/endpoint.js';
import { parseHostPort } from '../../config/host-port.js';

/** URLs of what was given as URLs or as `host:port`. */
export function urlsOf(given: readonly string[]): string[] {
  return given.map((text) => (parseHostPort(text.trim()) ? `http://${text.trim()}` : text.trim()));
}

/** What is wrong with the first that cannot be used, by its place; undefined when all can. Holds nothing of the text. */
export function addressesProblem(given: readonly string[]): string | undefined {
  for (const [at, url] of urlsOf(given).entries()) {
    const problem = endpointProblem(url);
    // Of a text that is no URL nobody can tell what in it is a password.
    if (problem !== undefined) return given.length === 1 ? problem : `no. ${at + 1}: ${problem}`;
  }
  return undefined;
}
