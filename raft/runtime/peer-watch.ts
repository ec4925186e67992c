import type { Logger } from 'pino';
import type { NodeId } from '../core/configuration.js';
import type { Message } from '../core/messages.js';
import type { PeerFailure } from '../transport/peer-failure.js';

/** A peer that fails for this long is worth a warning. A lost request is not. */
const TOLD_AFTER_MS = 1000;
/** At most this many different failures are logged during one silence. */
const REASONS_MAX = 8;

/**
 * `work`: entries and snapshots. `life`: small messages, including appends without entries, which search for the common
 * point of two logs.
 */
export type Traffic = 'life' | 'work';

/** A request, as far as it matters here. */
export interface Asked {
  type: Message['type'];
  entries?: readonly unknown[];
}

/** A peer that does not do what it is asked. */
export interface PeerTrouble {
  peer: NodeId;
  traffic: Traffic;
  forMs: number;
  /** Text of the last failure, and at which stage it happened if known. */
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
 * Logs that a peer does not answer or accepts nothing, and that it does again: two lines, for any length of the silence and
 * any number of requests.
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

  /** What is wrong now, the longest-lasting problem first. */
  troubles(): PeerTrouble[] {
    const now = this.now();
    return [...this.silences.values()]
      .sort((a, b) => a.sinceMs - b.sinceMs)
      .map(({ peer, traffic, sinceMs, reason, failure }) => ({
        ...{ peer, traffic, reason, failure },
        forMs: now - sinceMs,
      }));
  }

  /** From now on this node sends no requests, so silence means nothing. */
  forget(): void {
    this.silences.clear();
  }
}

const trafficOf = ({ type, entries }: Asked): Traffic =>
  type === 'snapshot' || (type === 'append' && entries?.length !== 0) ? 'work' : 'life';

const keyOf = (peer: NodeId, traffic: Traffic): string => `${traffic} ${peer}`;
