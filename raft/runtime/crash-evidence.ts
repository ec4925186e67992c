import type { Logger } from 'pino';
import type { NodeId } from '../core/configuration.js';

/** Probes of a leader whose connection closed: its listening socket may close a moment after the others. */
const PROBE_DELAYS_MS = [0, 5, 20, 50];

export interface CrashEvidenceOptions {
  /** The leader of this node; null without one, and for a node that does not run. */
  leader: () => NodeId | null;
  /** The newest term that this node knows. */
  term: () => number;
  probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'>;
  /** The leader's process is gone, for certain. */
  onGone(leader: NodeId): void;
  logger: Logger;
}

/**
 * Looks for proof that the leader's process is gone, which makes waiting for the election timeout needless. Only a
 * refused connection or a successor that speaks in its name proves it: a silent host may be cut off.
 */
export class CrashEvidence {
  constructor(private readonly options: CrashEvidenceOptions) {}

  /** A peer closed its connection: if it led, its host is asked. */
  async disconnected(peer: NodeId): Promise<void> {
    const { leader, term } = this.options;
    const ofTerm = term();
    // Elected anew meanwhile, it is alive.
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

  /** Another process speaks in the name of a peer, so the one before is gone. */
  restarted(peer: NodeId): void {
    this.gone(peer, 'another process uses its identity');
  }

  private gone(peer: NodeId, proof: string): void {
    if (this.options.leader() !== peer) return;
    this.options.logger.info({ peer, proof }, 'the leader process is gone');
    this.options.onGone(peer);
  }
}
