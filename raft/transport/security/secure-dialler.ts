import type { Socket } from 'node:net';
import type { NodeId } from '../../core/configuration.js';
import type { PeerProofs } from './peer-proof.js';
import { secureDialled } from './secure-dialled.js';
import { SecurityError } from './security-error.js';
import type { TransportSecurity } from './security.js';

export interface SecureDiallerOptions {
  security: TransportSecurity;
  proofs: PeerProofs;
  onRefused(error: SecurityError, address: string): void;
}

/** Secures the connections that this node opens. */
export class SecureDialler {
  constructor(private readonly options: SecureDiallerOptions) {}

  /**
   * @param peer the id that the other side must prove; undefined for any node
   * @param address of the other side, for the log
   * @throws SecurityError, or what the network says
   */
  async secure(raw: Socket, peer: NodeId | undefined, address: string): Promise<Socket> {
    const { security, proofs } = this.options;
    try {
      const { socket, proof } = await secureDialled(raw, security.credentials(), peer);
      proofs.note(socket, proof);
      return socket;
    } catch (error) {
      if (error instanceof SecurityError && !this.takesPlain(error)) {
        this.options.onRefused(error, address);
      }
      throw error;
    }
  }

  /** Whether to connect once more, without a proof: the other side supports no other, and a transition is under way. */
  takesPlain(error: unknown): boolean {
    return (
      this.options.security.acceptsPlain &&
      error instanceof SecurityError &&
      error.code === 'peer-speaks-plain'
    );
  }

  /** A connection without a proof is in use. */
  notePlain(): void {
    this.options.security.onPlain?.('dialler');
  }

  /** What is wrong when the other side speaks as that node; undefined if nothing is. */
  objection(socket: Socket, id: NodeId): string | undefined {
    return this.options.proofs.objection(socket, id);
  }
}
