import { InvariantError } from './invariant.js';
import { clusterTimingOf, type ClusterTiming } from './timing.js';

/** The server id of a node, unique in its cluster. */
export type NodeId = string;

export interface Member {
  id: NodeId;
  /** Consensus address, `host:port`; the transport resolves it on every connect. */
  address: string;
  /** The disk that was added under this id, 32 hex digits: a wiped node has another one. */
  incarnation: string;
  voter: boolean;
}

export interface Configuration {
  members: readonly Member[];
  /** The timing of the whole cluster. Without it each node uses its own. */
  timing?: ClusterTiming;
  /** While one voter replaces another (joint consensus, Raft thesis §4.3); the voters of `members` come next. */
  joint?: JointChange;
}

/** The part of a configuration that exists only while it is joint. */
export interface JointChange {
  /** The voters before the change: a majority of them must agree as well. */
  voters: readonly NodeId[];
  /** Members that leave when the change is complete. */
  leaving: readonly NodeId[];
}

/** A configuration and the log index of the entry (or snapshot) that brought it. */
export interface IndexedConfiguration {
  index: number;
  configuration: Configuration;
}

const EMPTY: IndexedConfiguration = { index: 0, configuration: { members: [] } };

/** Sorts members by id, so that every node shows the same list and equal configurations have equal bytes. */
export function inOrder({ members, timing, joint }: Configuration): Configuration {
  return {
    members: [...members].sort((a, b) => (a.id < b.id ? -1 : 1)),
    ...(timing ? { timing: clusterTimingOf(timing) } : {}),
    ...(joint ? { joint: { voters: [...joint.voters].sort(), leaving: [...joint.leaving].sort() } } : {}),
  };
}

/** The bytes of a configuration entry. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const { members, ...rest } = inOrder(configuration);
  const plain = members.map(({ id, address, incarnation, voter }) => ({ id, address, incarnation, voter }));
  return new TextEncoder().encode(JSON.stringify({ members: plain, ...rest }));
}

/** @throws InvariantError when the bytes are not a configuration. They passed a CRC, so they were written like this. */
export function decodeConfiguration(data: Uint8Array): Configuration {
  const value = JSON.parse(new TextDecoder().decode(data)) as Partial<Configuration>;
  if (!Array.isArray(value.members)) throw new InvariantError('configuration entry without members');
  return {
    members: value.members as Member[],
    ...(value.timing ? { timing: value.timing } : {}),
    ...(value.joint ? { joint: value.joint } : {}),
  };
}

/**
 * All configurations that may still matter, by log index. The newest is in force from the moment it is appended
 * (Raft thesis §4.1), and truncation rolls back to exactly the one before.
 */
export class ConfigurationHistory {
  private history: IndexedConfiguration[];

  constructor(base: IndexedConfiguration | undefined, later: readonly IndexedConfiguration[]) {
    this.history = [base ?? EMPTY, ...later];
  }

  get latest(): IndexedConfiguration {
    return this.history.at(-1) ?? EMPTY;
  }

  append(entry: IndexedConfiguration): void {
    this.history.push(entry);
  }

  /** The configuration in force for a log that ends at `index`. */
  at(index: number): IndexedConfiguration {
    return this.history.findLast((entry) => entry.index <= index) ?? EMPTY;
  }

  /** True when it holds for any configuration that may be in force, given only that `commit` is committed. */
  someSince(commit: number, holds: (configuration: Configuration) => boolean): boolean {
    const from = this.at(commit).index;
    return this.history.some((entry) => entry.index >= from && holds(entry.configuration));
  }

  /** Cuts from `index` on. True when that removed a configuration. */
  truncateFrom(index: number): boolean {
    const kept = this.history.filter((entry) => entry.index < index || entry.index === 0);
    const changed = kept.length !== this.history.length;
    this.history = kept;
    return changed;
  }

  compactTo(index: number): void {
    const base = this.at(index);
    this.history = [base, ...this.history.filter((entry) => entry.index > Math.max(index, base.index))];
  }

  reset(base: IndexedConfiguration): void {
    this.history = [base];
  }
}
