import type { NodeId } from '../core/configuration.js';
import { FrameError } from './errors.js';
import type { FrameAddress } from './frame.js';

/** A disk under the id of a node: it votes and acknowledges. One process at a time may speak for it. */
export interface PeerIdentity {
  id: NodeId;
  incarnation: string;
}

export interface PeerIdentitiesOptions {
  /** Whether this identity belongs to a member, so that its address can be asked. */
  isMember(peer: PeerIdentity): boolean;
  /** Boot id of the process of this identity at the member's address; undefined when none answers there. */
  ask(peer: PeerIdentity): Promise<string | undefined>;
  /** A new process speaks for this member, and the previous one is gone. */
  onRestarted(peer: NodeId): void;
  /** Two processes speak for this identity, both of them alive. */
  onUsedTwice(peer: PeerIdentity): void;
  /** A process speaks for this identity, and does not answer at the member's address: it does not count. */
  onUnproven(peer: PeerIdentity): void;
  /** Monotonic clock, ms. */
  now(): number;
}

/** Why a process does not count: another one answers at the member's address, or nobody does. */
export type Doubt = 'used-twice' | 'unproven';
export type Standing = 'counts' | Doubt;

/** Messages of a dead process may arrive after the first ones of the next, all at once. A longer speaker is alive. */
const LATE_WORDS_MS = 1000;
/** The address is not asked for each frame of a process that does not count. */
const ASK_AGAIN_MS = 1000;
/** Nobody answered at the address: the speaking process may be about to. */
const ASK_UNPROVEN_AGAIN_MS = 250;
/** A process silent for this long is no longer in doubt: while it speaks, its address is asked more often. */
const SPOKE_LATELY_MS = 5000;
/** Most earlier processes, and identities, that are remembered. */
const OTHERS_MAX = 16;
const IDENTITIES_MAX = 256;

/** A process that speaks for an identity and does not count. */
interface Other {
  /** It counted before another replaced it. */
  readonly hasCounted: boolean;
  /** When it was first refused; undefined when it has not spoken since. */
  refusedSinceMs: number | undefined;
  askedMs: number;
  /** The address's last answer. */
  doubt: Doubt;
  told: Doubt | undefined;
}

interface Known {
  /** Undefined before one has proved to be at the address. */
  current: string | undefined;
  others: Map<string, Other>;
}

/**
 * Which process speaks for each peer. Processes on copies of one disk would vote twice, so only one of them counts: the
 * one at the member's address. While nobody answers there, no new process counts: each side of a partition could have a
 * copy. A new process is believed after that address was asked; an answer to a request came from there anyway.
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
  standing(peer: PeerIdentity, bootId: string, by: 'request' | 'answer'): Standing | Promise<Standing> {
    const known = this.known.get(keyOf(peer));
    if (known?.current === bootId) return 'counts';
    const other = known?.others.get(bootId);
    const isMember = this.options.isMember(peer);
    if (!isMember && other) return 'counts';
    if (!isMember || (by === 'answer' && !other?.hasCounted)) {
      this.believe(peer, bootId);
      return 'counts';
    }
    if (other?.refusedSinceMs !== undefined) {
      const againMs = other.doubt === 'used-twice' ? ASK_AGAIN_MS : ASK_UNPROVEN_AGAIN_MS;
      if (this.options.now() - other.askedMs < againMs) return this.refuse(peer, other);
    }
    return this.askFor(peer).then((resident) => this.judge(peer, bootId, resident));
  }

  /** The identities in whose name a process that does not count spoke lately, and why it does not count. */
  doubts(): { id: NodeId; doubt: Doubt }[] {
    const sinceMs = this.options.now() - SPOKE_LATELY_MS;
    return [...this.known].flatMap(([key, { others }]) => {
      const told = [...others.values()].filter(
        ({ askedMs, told }) => told !== undefined && askedMs >= sinceMs,
      );
      const [first] = told;
      return first ? [{ id: idOf(key), doubt: first.doubt }] : [];
    });
  }

  private judge(peer: PeerIdentity, bootId: string, resident: string | undefined): Standing {
    if (this.bootId(peer) === bootId) return 'counts';
    if (resident !== undefined) this.believe(peer, resident);
    if (resident === bootId) return 'counts';
    const { others } = this.remember(peer);
    const other = others.get(bootId) ?? newOther(false);
    others.set(bootId, other);
    forgetOldest(others, OTHERS_MAX);
    other.askedMs = this.options.now();
    other.doubt = resident === undefined ? 'unproven' : 'used-twice';
    return this.refuse(peer, other);
  }

  /** From here on this process counts, and the previous one does not. */
  private believe(peer: PeerIdentity, bootId: string): void {
    const known = this.remember(peer);
    const { current, others } = known;
    if (current === bootId) return;
    const other = others.get(bootId);
    others.delete(bootId);
    known.current = bootId;
    if (current === undefined) return;
    others.set(current, newOther(true));
    forgetOldest(others, OTHERS_MAX);
    // It counted before. It was silent, not gone, while another spoke in its name.
    if (other?.hasCounted) this.options.onUsedTwice(peer);
    else this.options.onRestarted(peer.id);
  }

  private remember(peer: PeerIdentity): Known {
    const key = keyOf(peer);
    let known = this.known.get(key);
    if (!known) {
      known = { current: undefined, others: new Map() };
      this.known.set(key, known);
      forgetOldest(this.known, IDENTITIES_MAX);
    }
    return known;
  }

  private refuse(peer: PeerIdentity, other: Other): Doubt {
    const now = this.options.now();
    other.refusedSinceMs ??= now;
    const { doubt, told, refusedSinceMs } = other;
    if (doubt !== told && told !== 'used-twice' && now - refusedSinceMs >= LATE_WORDS_MS) {
      other.told = doubt;
      if (doubt === 'used-twice') this.options.onUsedTwice(peer);
      else this.options.onUnproven(peer);
    }
    return doubt;
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
export const identityOf = ({
  from,
  fromIncarnation,
}: Pick<FrameAddress, 'from' | 'fromIncarnation'>): PeerIdentity => ({
  id: from,
  incarnation: fromIncarnation,
});

/** The refusal of a frame whose sender is not the process that counts for its disk. */
export function notCounted(
  { from, bootId }: Pick<FrameAddress, 'from' | 'bootId'>,
  doubt: Doubt,
): FrameError {
  const there = doubt === 'unproven' ? 'nobody answers' : 'another process answers';
  return new FrameError(
    `identity-${doubt}`,
    `process ${bootId.slice(0, 8)} claims to be ${from}, but ${there} at the address of that member`,
  );
}

const keyOf = ({ id, incarnation }: PeerIdentity): string => `${incarnation} ${id}`;

const idOf = (key: string): NodeId => key.slice(key.indexOf(' ') + 1);

const newOther = (hasCounted: boolean): Other => ({
  hasCounted,
  refusedSinceMs: undefined,
  askedMs: -Infinity,
  doubt: 'unproven',
  told: undefined,
});

function forgetOldest(map: Map<string, unknown>, atMost: number): void {
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size > atMost) map.delete(oldest);
}
