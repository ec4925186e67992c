import { X509Certificate } from 'node:crypto';
import { SecurityError } from './security-error.js';

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
/** A chain that is longer is none. */
const CHAIN_MAX = 8;

/** @throws SecurityError */
export const authoritiesIn = (text: string): X509Certificate[] => certificatesIn(text, 'CA');

/**
 * All certificates of a PEM text, at least one.
 *
 * @param what the file, for the error
 * @throws SecurityError
 */
export function certificatesIn(text: string, what: string): [X509Certificate, ...X509Certificate[]] {
  try {
    const found = (text.match(PEM) ?? []).map((pem) => new X509Certificate(pem));
    const [first, ...others] = found;
    if (first) return [first, ...others];
  } catch (error) {
    const { message } = error as Error;
    throw new SecurityError('unreadable-certificate', `the ${what} file: ${message}`, { cause: error });
  }
  throw new SecurityError('unreadable-certificate', `the ${what} file has no certificate`);
}

/** The certificate of the authority at the end of the chain; undefined if there is none. Ignores dates. */
export function rootOf(
  own: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): X509Certificate | undefined {
  let at = own;
  for (let length = 0; length < CHAIN_MAX; length++) {
    const isIssuer = (other: X509Certificate): boolean => at.checkIssued(other) && at.verify(other.publicKey);
    const root = authorities.find(isIssuer);
    if (root) return root;
    const next = intermediates.find((other) => other !== at && isIssuer(other));
    if (!next) return undefined;
    at = next;
  }
  return undefined;
}
