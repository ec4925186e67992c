import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { NodeId } from '../../core/configuration.js';
import { serverIdsIn } from './certificate-names.js';
import type { Credentials, PeerProof } from './security.js';

/** What the other side of a handshake that went well has proved. */
export function proofOf(socket: TLSSocket, kind: Credentials['kind']): PeerProof {
  if (kind === 'secret') return { maySpeakAs: () => true, shown: 'who knows the secret' };
  const names = serverIdsIn(socket.getPeerCertificate().subjectaltname);
  return { maySpeakAs: (id) => names.has(id), shown: `the certificate of ${namesText(names)}` };
}

export const namesText = (names: ReadonlySet<string>): string => [...names].join(', ') || 'nobody';

/** What each open connection has proved. */
export class PeerProofs {
  private readonly bySocket = new WeakMap<Socket, PeerProof>();

  note(socket: Socket, proof: PeerProof): void {
    this.bySocket.set(socket, proof);
  }

  /**
   * What is wrong when the other side of this connection speaks as that node; undefined if nothing is. Of a connection
   * without a proof nothing is asked: none is served but where that is allowed.
   */
  objection(socket: Socket, id: NodeId): string | undefined {
    const proof = this.bySocket.get(socket);
    return !proof || proof.maySpeakAs(id) ? undefined : `${proof.shown} speaks as ${id}`;
  }
}
