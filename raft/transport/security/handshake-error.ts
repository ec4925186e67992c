import { SecurityError, type SecurityErrorCode } from './security-error.js';
import type { Credentials } from './security.js';

type Kind = Credentials['kind'];

/** Node's and OpenSSL's codes, where they identify the problem. */
const DIALLED: Readonly<Record<string, SecurityErrorCode>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'peer-speaks-plain',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'peer-speaks-plain',
  ERR_SSL_HTTP_REQUEST: 'peer-speaks-plain',
  CERT_HAS_EXPIRED: 'peer-expired',
  CERT_NOT_YET_VALID: 'peer-expired',
};

/** The system's network errors. */
const isOfNetwork = (code: string): boolean => /^E[A-Z]+$/.test(code);

/** The error of a handshake that this node began, as one of ours; network errors stay as they are. */
export function diallerError(error: unknown, kind: Kind): Error {
  if (error instanceof SecurityError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (isOfNetwork(code)) return error as Error;
  const known = DIALLED[code] ?? otherwise(code, kind);
  return new SecurityError(known, message, { cause: error });
}

/** The error of a handshake that the other side began. */
export function listenerError(error: NodeJS.ErrnoException, kind: Kind): SecurityError {
  const { code = '', message } = error;
  const isWrong = kind === 'secret' && (code.includes('BINDER') || code.includes('SIGNATURE_ALGORITHM'));
  return new SecurityError(isWrong ? 'wrong-secret' : 'handshake-failed', message, { cause: error });
}

function otherwise(code: string, kind: Kind): SecurityErrorCode {
  if (kind === 'secret') return 'wrong-secret';
  // OpenSSL's verdicts on a certificate have no prefix.
  return code.startsWith('ERR_') ? 'handshake-failed' : 'peer-not-trusted';
}
