import type { Logger } from 'pino';
import type { NodeId } from '../core/configuration.js';
import type { Message } from '../core/messages.js';
import type { PeerFailure } from '../transport/peer-failure.js';

/** A peer that fails for this long is worth a warning; a lost request is not. */
const TOLD_AFTER_MS = 1000;
/** Different failures of one silence that are told one by one. */
const REASONS_MAX = 8;

/**
 * `work`: entries and snapshots. `life`: what is small, also an append without entries, which looks for the common point
 * of two logs.
 */
export type Traffic = 'life' | 'work';

/** A request, as far as it matters here. */
export interface Asked {
  type: Message['type'];
  entries?: readonly unknown[];
}

/** A peer that does not do what it is asked for. */
export interface PeerTrouble {
  peer: NodeId;
  traffic: Traffic;
  forMs: number;
  /** The last failure in words, and where on the way it happened if that is known. */
  reason: string;
  failure: PeerFailure | undefined;
}

interface Silence {
  peer: NodeId;
  traffic: Traffic;
  sinceMs: number;
  told: boolean;
  reasons: Set<string>;
  reason: string;
  failure: PeerFailure | undefined;
}

const BEGINS = { life: 'a peer does not answer', work: 'a peer answers but accepts no entries' };
const ENDS = { life: 'the peer answers again', work: 'the peer accepts entries again' };

/**
 * Logs that a peer does not answer, or takes nothing, and that it does again: two lines, however long the silence
 * between them and however often it is asked.
 */
export class PeerWatch {
  private readonly silences = new Map<string, Silence>();

  constructor(
    private readonly logger: Logger,
    /** Monotonic clock, ms. */
    private readonly now: () => number,
  ) {}

  failed(peer: NodeId, asked: Asked, reason: string, failure?: PeerFailure): void {
    const now = this.now();
    const { type } = asked;
    const traffic = trafficOf(asked);
    const silence = this.silences.get(keyOf(peer, traffic)) ?? {
      ...{ peer, traffic, reason, failure },
      ...{ sinceMs: now, told: false, reasons: new Set<string>() },
    };
    this.silences.set(keyOf(peer, traffic), Object.assign(silence, { reason, failure }));
    const { reasons, sinceMs } = silence;
    if (!reasons.has(reason) && reasons.size < REASONS_MAX) {
      reasons.add(reason);
      this.logger.debug({ peer, type, reason }, 'request failed');
    }
    // A peer that does not answer accepts no entries either.
    const isImplied = traffic === 'work' && this.silences.has(keyOf(peer, 'life'));
    if (silence.told || isImplied || now - sinceMs < TOLD_AFTER_MS) return;
    silence.told = true;
    this.logger.warn({ peer, reason, failure, forMs: Math.round(now - sinceMs) }, BEGINS[traffic]);
  }

  answered(peer: NodeId, asked: Asked): void {
    const traffic = trafficOf(asked);
    const silence = this.silences.get(keyOf(peer, traffic));
    if (!silence) return;
    this.silences.delete(keyOf(peer, traffic));
    if (silence.told) {
      this.logger.info({ peer, afterMs: Math.round(this.now() - silence.sinceMs) }, ENDS[traffic]);
    }
  }

  /** What is wrong now, the longest trouble first. */
  troubles(): PeerTrouble[] {
    const now = this.now();
    return [...this.silences.values()]
      .sort((a, b) => a.sinceMs - b.sinceMs)
      .map(({ peer, traffic, sinceMs, reason, failure }) => ({
        ...{ peer, traffic, reason, failure },
        forMs: now - sinceMs,
      }));
  }

  /** From now on this node asks nobody: what it does not hear means nothing. */
  forget(): void {
    this.silences.clear();
  }
}

const trafficOf = ({ type, entries }: Asked): Traffic =>
  type === 'snapshot' || (type === 'append' && entries?.length !== 0) ? 'work' : 'life';

const keyOf = (peer: NodeId, traffic: Traffic): string => `${traffic} ${peer}`;
