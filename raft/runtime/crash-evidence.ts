import type { Logger } from 'pino';
import type { NodeId } from '../core/configuration.js';

/** Probes of a leader whose connection closed: its listening socket may close a moment after the others. */
const PROBE_DELAYS_MS = [0, 5, 20, 50];

export interface CrashEvidenceOptions {
  /** The leader of this node; null without one, and for a node that is not running. */
  leader: () => NodeId | null;
  /** The newest term that this node knows. */
  term: () => number;
  probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'>;
  /** The leader's process is certainly gone. */
  onGone(leader: NodeId): void;
  logger: Logger;
}

/**
 * Looks for proof that the leader's process is gone, so that followers need not wait for the election timeout. Only a
 * refused connection, or a successor that speaks in its name, is proof: a silent host may just be cut off.
 */
export class CrashEvidence {
  /** Leader and term of the last proof: several connections of one process end. */
  private proven = '';

  constructor(private readonly options: CrashEvidenceOptions) {}

  /** A peer closed its connection. If it led, its host is probed. */
  async disconnected(peer: NodeId): Promise<void> {
    const { leader, term } = this.options;
    const ofTerm = term();
    // It has been elected again meanwhile, so it is alive.
    const isOver = (): boolean => leader() !== peer || term() !== ofTerm;
    for (const delayMs of PROBE_DELAYS_MS) {
      if (isOver()) return;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      const found = await this.options.probe(peer).catch(() => 'unknown' as const);
      if (isOver()) return;
      if (found !== 'gone') continue;
      this.gone(peer, 'its host refuses connections, or another process answers there');
      return;
    }
  }

  /** Another process speaks in the name of a peer, so the previous one is gone. */
  restarted(peer: NodeId): void {
    this.gone(peer, 'another process uses its identity');
  }

  private gone(peer: NodeId, proof: string): void {
    if (this.options.leader() !== peer) return;
    const proven = `${peer} ${this.options.term()}`;
    if (proven === this.proven) return;
    this.proven = proven;
    this.options.logger.info({ peer, proof }, 'the leader process is gone');
    this.options.onGone(peer);
  }
}
