import { hkdfSync } from 'node:crypto';
import { SecurityError } from './security-error.js';
import type { SecretCredentials, SharedKey } from './security.js';

/** Of 32 hex digits, 128 bits: nobody can try them all, even with a recorded handshake. */
const CHARACTERS_MIN = 32;
const SECRETS_MAX = 2;
const KEY_BYTES = 32;
const IDENTITY_BYTES = 16;

/**
 * The credentials from what the secret file holds: one secret on a line, two while it changes.
 *
 * @throws SecurityError
 */
export function readSecrets(text: string): SecretCredentials {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const secrets = lines.filter((line) => line !== '');
  if (secrets.length === 0 || secrets.length > SECRETS_MAX) {
    throw new SecurityError('no-secret', `the secret file has ${secrets.length} secrets`);
  }
  const short = secrets.find((secret) => secret.length < CHARACTERS_MIN);
  if (short !== undefined) {
    throw new SecurityError('weak-secret', `a secret of ${short.length} characters is too short`);
  }
  return { kind: 'secret', keys: secrets.map(keyFrom) };
}

/** Without the secret, nobody can relate the key to the name. */
function keyFrom(secret: string): SharedKey {
  const derive = (info: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, 'baton-raft', info, bytes));
  return {
    identity: derive('psk identity', IDENTITY_BYTES).toString('hex'),
    key: derive('psk', KEY_BYTES),
  };
}
