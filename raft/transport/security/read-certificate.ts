import { createPrivateKey, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { NodeId } from '../../core/configuration.js';
import { serverIdsIn, uriOf } from './certificate-names.js';
import { certificatesIn, authoritiesIn, rootOf } from './certificate-chain.js';
import { namesText } from './peer-proof.js';
import { SecurityError } from './security-error.js';
import type { CertificateCredentials, CertificateTexts } from './security.js';
import { COMMON_OPTIONS } from './tls-options.js';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
/**
 * The credentials of a node from what its files hold. An expired certificate is read like any other: its peers refuse
 * it, and this node must be there to say so.
 *
 * @throws SecurityError for what no peer could accept
 */
export function readCertificate({ cert, key, ca }: CertificateTexts, nodeId: NodeId): CertificateCredentials {
  const [own, ...intermediates] = certificatesIn(cert, 'certificate');
  const authorities = authoritiesIn(ca);
  const privateKey = readKey(key);
  if (!own.checkPrivateKey(privateKey)) {
    throw new SecurityError('key-mismatch', 'the key is not that of the certificate');
  }
  const named = serverIdsIn(own.subjectAltName);
  if (!named.has(nodeId)) {
    throw new SecurityError(
      'id-not-named',
      `the certificate names ${namesText(named)}, this node is ${nodeId} (${uriOf(nodeId)})`,
    );
  }
  // Without any, every purpose is allowed.
  const purposes = own.keyUsage as string[] | undefined;
  if (purposes && !(purposes.includes(SERVER_AUTH) && purposes.includes(CLIENT_AUTH))) {
    throw new SecurityError('wrong-purpose', 'the certificate is not for both server auth and client auth');
  }
  const root = rootOf(own, intermediates, authorities);
  if (!root) throw new SecurityError('wrong-ca', "the certificate's issuer is not in the CA file");
  return {
    kind: 'certificate',
    texts: { cert, key, ca },
    context: contextOf({ cert, key, ca }),
    expiresMs: Date.parse(own.validTo),
    caExpiresMs: Date.parse(root.validTo),
    fingerprint: own.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

function contextOf({ cert, key, ca }: CertificateTexts): SecureContext {
  try {
    return createSecureContext({ ...COMMON_OPTIONS, cert, key, ca });
  } catch (error) {
    throw new SecurityError('unreadable-certificate', (error as Error).message, { cause: error });
  }
}

/** The reason is not told: it could quote the key. */
function readKey(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw new SecurityError('unreadable-key', 'the key file has no private key that can be read');
  }
}
