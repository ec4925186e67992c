import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { NodeId } from '../../core/configuration.js';
import { serverIdsIn } from './certificate-names.js';
import { authoritiesIn, rootOf } from './certificate-chain.js';
import type { CertificateCredentials, Credentials, PeerProof } from './security.js';

/** A chain that is longer is none. */
const CHAIN_MAX = 8;

/** What the other side has proved with its certificate. */
export function proofByCertificate(socket: TLSSocket, { texts }: CertificateCredentials): PeerProof {
  const shown = socket.getPeerCertificate(true);
  const names = serverIdsIn(shown.subjectaltname);
  const [own, ...intermediates] = chainOf(shown);
  let goodBy = texts.ca;
  return {
    maySpeakAs: (id) => names.has(id),
    shown: `the certificate of ${namesText(names)}`,
    isGood: (now) => {
      if (now.kind !== 'certificate') return false;
      if (now.texts.ca === goodBy) return true;
      if (!own || !rootOf(own, intermediates, authoritiesIn(now.texts.ca))) return false;
      goodBy = now.texts.ca;
      return true;
    },
  };
}

/** What the other side has proved with the secret of this name: that it knows the secret, not who it is. */
export const proofBySecret = (identity: string): PeerProof => ({
  maySpeakAs: () => true,
  shown: 'who knows the secret',
  isGood: (now) => now.kind === 'secret' && now.keys.some((key) => key.identity === identity),
});

export const namesText = (names: ReadonlySet<string>): string => [...names].join(', ') || 'nobody';

/** What each open connection has proved. */
export class PeerProofs {
  private readonly bySocket = new Map<Socket, PeerProof>();

  note(socket: Socket, proof: PeerProof): void {
    this.bySocket.set(socket, proof);
    socket.once('close', () => this.bySocket.delete(socket));
  }

  /**
   * What is wrong when the other side of this connection speaks as that node; undefined if nothing is. A connection
   * without a proof is not checked: such connections are served only where they are allowed.
   */
  objection(socket: Socket, id: NodeId): string | undefined {
    const proof = this.bySocket.get(socket);
    return !proof || proof.maySpeakAs(id) ? undefined : `${proof.shown} speaks as ${id}`;
  }

  /** Ends the connections that were opened with a secret or an authority that is no longer trusted. */
  endWithdrawn(now: Credentials): void {
    for (const [socket, proof] of this.bySocket) if (!proof.isGood(now)) socket.destroy();
  }
}

function chainOf(shown: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let at: DetailedPeerCertificate | undefined = shown; at?.raw && chain.length < CHAIN_MAX;) {
    chain.push(new X509Certificate(at.raw));
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return chain;
}
