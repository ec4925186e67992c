import type { Logger } from 'pino';
import type { NodeId } from '../core/configuration.js';

/** A peer that fails for so long is worth a warning; a lost request is not. */
const TOLD_AFTER_MS = 1000;
/** Different failures of one silence that are told one by one. */
const REASONS_MAX = 8;

interface Silence {
  sinceMs: number;
  told: boolean;
  reasons: Set<string>;
}

/**
 * Logs that a peer does not answer, and that it does again: two lines, however long the silence between them and
 * however often it is asked.
 */
export class PeerWatch {
  private readonly silences = new Map<NodeId, Silence>();

  constructor(
    private readonly logger: Logger,
    /** Monotonic clock, ms. */
    private readonly now: () => number,
  ) {}

  failed(peer: NodeId, type: string, reason: string): void {
    const now = this.now();
    const silence = this.silences.get(peer) ?? { sinceMs: now, told: false, reasons: new Set() };
    this.silences.set(peer, silence);
    const { reasons, sinceMs } = silence;
    if (!reasons.has(reason) && reasons.size < REASONS_MAX) {
      reasons.add(reason);
      this.logger.debug({ peer, type, reason }, 'request failed');
    }
    if (silence.told || now - sinceMs < TOLD_AFTER_MS) return;
    silence.told = true;
    this.logger.warn({ peer, reason, forMs: Math.round(now - sinceMs) }, 'a peer does not answer');
  }

  answered(peer: NodeId): void {
    const silence = this.silences.get(peer);
    if (!silence) return;
    this.silences.delete(peer);
    if (silence.told) {
      this.logger.info({ peer, afterMs: Math.round(this.now() - silence.sinceMs) }, 'the peer answers again');
    }
  }

  /** From now on this node asks nobody: what it does not hear means nothing. */
  forget(): void {
    this.silences.clear();
  }
}
