import type { Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { NodeId } from '../../core/configuration.js';
import { serverIdsIn } from './certificate-names.js';
import { diallerError } from './handshake-error.js';
import { namesText, proofByCertificate, proofBySecret } from './peer-proof.js';
import { SecurityError } from './security-error.js';
import type { Credentials, PeerProof, SecretCredentials, SharedKey } from './security.js';
import { COMMON_OPTIONS, isBySharedKey, secretOptions } from './tls-options.js';

export interface SecuredSocket {
  socket: TLSSocket;
  proof: PeerProof;
}

/**
 * Secures a connection that this node opened. It has no deadline of its own: the dialler ends the socket.
 *
 * @param peer the id that the other side must prove; undefined for any node
 * @throws SecurityError, or what the network says
 */
export function secureDialled(
  raw: Socket,
  credentials: Credentials,
  peer: NodeId | undefined,
): Promise<SecuredSocket> {
  const { kind } = credentials;
  return new Promise((resolve, reject) => {
    const socket = connect({ socket: raw, ...optionsFor(credentials, peer) });
    const fail = (error: unknown): void => {
      socket.destroy();
      reject(diallerError(error, kind));
    };
    const onClose = (): void => fail(Object.assign(new Error('connection closed'), { code: 'ECONNRESET' }));
    // Errors continue to come after the first one.
    socket.on('error', fail);
    socket.once('close', onClose);
    socket.once('secureConnect', () => {
      if (kind === 'secret' && !isBySharedKey(socket)) {
        return fail(new SecurityError('wrong-secret', 'the other side did not prove the secret'));
      }
      socket.off('close', onClose);
      resolve({ socket, proof: proofOf(socket, credentials) });
    });
  });
}

function proofOf(socket: TLSSocket, credentials: Credentials): PeerProof {
  if (credentials.kind === 'certificate') return proofByCertificate(socket, credentials);
  return proofBySecret(inUse(credentials).identity);
}

/** The secret that this node dials with. */
const inUse = ({ keys }: SecretCredentials): SharedKey => keys[0] as SharedKey;

function optionsFor(credentials: Credentials, peer: NodeId | undefined): ConnectionOptions {
  if (credentials.kind === 'secret') {
    const { identity, key: psk } = inUse(credentials);
    return { ...secretOptions, pskCallback: () => ({ identity, psk }), checkServerIdentity: () => undefined };
  }
  return {
    ...COMMON_OPTIONS,
    secureContext: credentials.context,
    checkServerIdentity: (_host, { subjectaltname }) => {
      const names = serverIdsIn(subjectaltname);
      if (peer === undefined || names.has(peer)) return undefined;
      return new SecurityError(
        'peer-not-named',
        `the certificate names ${namesText(names)}, ${peer} was dialled`,
      );
    },
  };
}
