import { InvariantError } from './invariant.js';
import { clusterTimingOf, isSameTiming, timingProblem } from './timing.js';
import type {
  ClusterTiming,
  Configuration,
  IndexedConfiguration,
  Member,
  MembershipChange,
  RejectReason,
} from './types.js';

const EMPTY: IndexedConfiguration = { index: 0, configuration: { members: [] } };

/** Members in order of id, so that every node shows the same list, and equal configurations are equal bytes. */
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

/** @throws InvariantError when the bytes are no configuration: they passed a CRC, so they were written so. */
export function decodeConfiguration(data: Uint8Array): Configuration {
  const value = JSON.parse(new TextDecoder().decode(data)) as Partial<Configuration>;
  if (!Array.isArray(value.members)) throw new InvariantError('configuration entry without members');
  return {
    members: value.members as Member[],
    ...(value.timing ? { timing: value.timing } : {}),
    ...(value.joint ? { joint: value.joint } : {}),
  };
}

export type ChangeResult =
  | { ok: true; configuration: Configuration; changed: boolean }
  | { ok: false; reason: RejectReason; detail: string };

/**
 * One step of membership (thesis §4.1): at most one voter comes or goes, so old and new quorums overlap; or the joint
 * configuration of a replacement.
 */
export function applyChange(current: Configuration, change: MembershipChange): ChangeResult {
  const existing = current.members.find((member) => member.id === change.id);
  const others = current.members.filter((member) => member.id !== change.id);
  const done = (members: readonly Member[]): ChangeResult => {
    if (!members.some((member) => member.voter)) {
      return { ok: false, reason: 'last-voter', detail: `${change.id} is the last voter` };
    }
    return { ok: true, configuration: inOrder({ ...current, members }), changed: true };
  };
  const unchanged: ChangeResult = { ok: true, configuration: current, changed: false };

  if (change.type === 'replace') return replace(current, change);
  if (change.type === 'remove') return existing ? done(others) : unchanged;
  if (change.type === 'demote') {
    if (!existing) return { ok: false, reason: 'no-such-member', detail: `${change.id} is not a member` };
    return existing.voter ? done([...others, { ...existing, voter: false }]) : unchanged;
  }
  const twin = others.find((member) => member.address === change.address);
  if (twin) {
    return {
      ok: false,
      reason: 'duplicate-address',
      detail: `${change.address} is the address of ${twin.id}`,
    };
  }
  const sameDisk = existing?.incarnation === change.incarnation;
  if (existing?.voter && !sameDisk) {
    // Two steps, so that the quorums before and after overlap.
    return { ok: false, reason: 'other-disk', detail: `${change.id} has another disk now: remove it first` };
  }
  // op-conductor: adding a voter as non-voter changes its address only.
  const voter = change.type === 'addVoter' || existing?.voter === true;
  if (sameDisk && existing?.address === change.address && existing.voter === voter) return unchanged;
  return done([
    ...others,
    { id: change.id, address: change.address, incarnation: change.incarnation, voter },
  ]);
}

function replace(current: Configuration, { id, by }: MembershipChange & { type: 'replace' }): ChangeResult {
  const old = current.members.find((member) => member.id === id);
  const newcomer = current.members.find((member) => member.id === by.id);
  if (newcomer?.voter) {
    if (newcomer.incarnation === by.incarnation) return applyChange(current, { type: 'remove', id });
    return { ok: false, reason: 'other-disk', detail: `${by.id} has another disk now: remove it first` };
  }
  if (!old) return { ok: false, reason: 'no-such-member', detail: `${id} is not a member` };
  if (!old.voter) return { ok: false, reason: 'not-a-voter', detail: `${id} is not a voter` };
  const added = applyChange(current, { type: 'addVoter', ...by });
  if (!added.ok) return added;
  const members = added.configuration.members.map((member) =>
    member === old ? { ...old, voter: false } : member,
  );
  const voters = current.members.filter((member) => member.voter).map((member) => member.id);
  return {
    ok: true,
    configuration: inOrder({ ...current, members, joint: { voters, leaving: [id] } }),
    changed: true,
  };
}

/** What comes after a joint configuration, once it is committed. */
export function withoutJoint({ members, joint, ...rest }: Configuration): Configuration {
  return { ...rest, members: members.filter((member) => !joint?.leaving.includes(member.id)) };
}

export function changeTiming(current: Configuration, timing: ClusterTiming): ChangeResult {
  const problem = timingProblem(timing);
  if (problem !== undefined) return { ok: false, reason: 'invalid-timing', detail: problem };
  const changed = !current.timing || !isSameTiming(current.timing, timing);
  return { ok: true, configuration: inOrder({ ...current, timing }), changed };
}

/**
 * All configurations that may still matter, by log index. The newest is in force from the moment it is appended
 * (thesis §4.1), and truncation rolls back to exactly the one before (bug 35).
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

  /** True when it holds for any configuration that may be in force while `commit` is all that is known. */
  someSince(commit: number, holds: (configuration: Configuration) => boolean): boolean {
    const from = this.at(commit).index;
    return this.history.some((entry) => entry.index >= from && holds(entry.configuration));
  }

  /** True when the log from `index` on was cut and a configuration went with it. */
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
