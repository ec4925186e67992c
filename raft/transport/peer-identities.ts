import type { NodeId } from '../core/configuration.js';
import type { FrameAddress } from './frame.js';

/** A disk under the id of a node: what votes and acknowledges. One process at a time may speak for it. */
export interface PeerIdentity {
  id: NodeId;
  incarnation: string;
}

export interface PeerIdentitiesOptions {
  /** Whether this identity is that of a member, so that its address can be asked. */
  isMember(peer: PeerIdentity): boolean;
  /** Boot id of the process of this identity at the member's address; undefined when none answers there. */
  ask(peer: PeerIdentity): Promise<string | undefined>;
  /** Another process speaks for this member than before, and the one before is gone. */
  onRestarted(peer: NodeId): void;
  /** Two processes speak for this identity, both of them alive. */
  onUsedTwice(peer: PeerIdentity): void;
  /** Monotonic clock, ms. */
  now(): number;
}

/** What a dead process had sent may arrive after the first words of the next, all at once. Who speaks for longer lives. */
const LATE_WORDS_MS = 1000;
/** The address is not asked for each frame of a process that does not count. */
const ASK_AGAIN_MS = 1000;
/** Earlier processes, and identities, that are remembered. */
const OTHERS_MAX = 16;
const IDENTITIES_MAX = 256;

/** A process that speaks for an identity and does not count. */
interface Other {
  /** When it was refused first; undefined when it has not spoken since. */
  refusedSinceMs: number | undefined;
  askedMs: number;
  isTold: boolean;
}

interface Known {
  current: string;
  others: Map<string, Other>;
}

/**
 * Which process speaks for each peer. Processes on copies of one disk would vote twice, so that only one of them counts:
 * the one at the member's address, or, when nobody answers there, the one that appeared last. A process that is new is
 * believed after that address was asked; an answer to a request came from there.
 */
export class PeerIdentities {
  private readonly known = new Map<string, Known>();
  private readonly asking = new Map<string, Promise<string | undefined>>();

  constructor(private readonly options: PeerIdentitiesOptions) {}

  /** The process that counts; undefined before it spoke. */
  bootId(peer: PeerIdentity): string | undefined {
    return this.known.get(keyOf(peer))?.current;
  }

  /** Whether what this process says counts. A promise while its address is asked. */
  counts(peer: PeerIdentity, bootId: string, by: 'request' | 'answer'): boolean | Promise<boolean> {
    const known = this.known.get(keyOf(peer));
    if (known?.current === bootId) return true;
    const other = known?.others.get(bootId);
    const isMember = this.options.isMember(peer);
    if (!isMember && other) return true;
    if (!isMember || (by === 'answer' && !other)) {
      this.believe(peer, bootId);
      return true;
    }
    if (other?.refusedSinceMs !== undefined && this.options.now() - other.askedMs < ASK_AGAIN_MS) {
      return this.refuse(peer, other);
    }
    return this.askFor(peer).then((resident) => this.judge(peer, bootId, resident));
  }

  private judge(peer: PeerIdentity, bootId: string, resident: string | undefined): boolean {
    const known = this.known.get(keyOf(peer));
    if (known?.current === bootId) return true;
    const wasReplaced = known?.others.has(bootId) ?? false;
    if (resident === bootId || (resident === undefined && !wasReplaced)) {
      this.believe(peer, bootId);
      return true;
    }
    if (resident !== undefined) this.believe(peer, resident);
    const { others } = this.known.get(keyOf(peer)) as Known;
    const other = others.get(bootId) ?? newOther();
    others.set(bootId, other);
    other.askedMs = this.options.now();
    return this.refuse(peer, other);
  }

  /** From here on this process counts, and the one before does not. */
  private believe(peer: PeerIdentity, bootId: string): void {
    const key = keyOf(peer);
    const known = this.known.get(key);
    if (known?.current === bootId) return;
    if (!known) {
      this.known.set(key, { current: bootId, others: new Map() });
      forgetOldest(this.known, IDENTITIES_MAX);
      return;
    }
    const isBack = known.others.delete(bootId);
    known.others.set(known.current, newOther());
    forgetOldest(known.others, OTHERS_MAX);
    known.current = bootId;
    // It was silent, not gone, while another spoke in its place.
    if (isBack) this.options.onUsedTwice(peer);
    else this.options.onRestarted(peer.id);
  }

  private refuse(peer: PeerIdentity, other: Other): false {
    const now = this.options.now();
    other.refusedSinceMs ??= now;
    if (!other.isTold && now - other.refusedSinceMs >= LATE_WORDS_MS) {
      other.isTold = true;
      this.options.onUsedTwice(peer);
    }
    return false;
  }

  /** One question at a time for each identity. */
  private askFor(peer: PeerIdentity): Promise<string | undefined> {
    const key = keyOf(peer);
    let asking = this.asking.get(key);
    if (!asking) {
      asking = this.options.ask(peer).finally(() => this.asking.delete(key));
      this.asking.set(key, asking);
    }
    return asking;
  }
}

/** Whose disk a frame comes from. */
export const identityOf = ({ from, fromIncarnation }: FrameAddress): PeerIdentity => ({
  id: from,
  incarnation: fromIncarnation,
});

const keyOf = ({ id, incarnation }: PeerIdentity): string => `${incarnation} ${id}`;

const newOther = (): Other => ({ refusedSinceMs: undefined, askedMs: -Infinity, isTold: false });

function forgetOldest(map: Map<string, unknown>, atMost: number): void {
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size > atMost) map.delete(oldest);
}
