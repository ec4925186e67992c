import { constants } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { SecretCredentials } from './security.js';

/**
 * Suites with SHA-256, the hash of a key from outside the handshake. TLS 1.3 adds an exchange of ephemeral keys to this
 * key: a secret that leaks later does not open recorded traffic.
 */
const SECRET_SUITES = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256';

/**
 * What both sides have in common. No session is ever resumed: an expired certificate or a removed secret would live on
 * in it.
 */
export const COMMON_OPTIONS = {
  minVersion: 'TLSv1.3',
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

/** By a secret, a handshake has no certificates at all. */
export const secretOptions = {
  ...COMMON_OPTIONS,
  ciphers: SECRET_SUITES,
  // No authority is trusted: a certificate proves nothing here.
  ca: [] as string[],
};

export const keyNamed = ({ keys }: SecretCredentials, identity: string): Buffer | null =>
  keys.find((known) => known.identity === identity)?.key ?? null;

/** Whether the handshake used a shared key, and nothing else. */
export function isBySharedKey(socket: TLSSocket): boolean {
  return socket.isSessionReused() && Object.keys(socket.getPeerCertificate() ?? {}).length === 0;
}
