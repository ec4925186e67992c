import { inOrder, type Configuration, type Member, type NodeId } from './configuration.js';
import type { RejectReason } from './outputs.js';
import { isSameTiming, timingProblem, type ClusterTiming } from './timing.js';

/** A requested change of the membership. */
export type MembershipChange =
  | { type: 'addVoter'; id: NodeId; address: string; incarnation: string }
  | { type: 'addNonvoter'; id: NodeId; address: string; incarnation: string }
  | { type: 'demote'; id: NodeId }
  | { type: 'remove'; id: NodeId }
  /** `by` becomes a voter and `id` leaves, both or neither, without an even number of voters in between. */
  | { type: 'replace'; id: NodeId; by: { id: NodeId; address: string; incarnation: string } };

export type ChangeResult =
  | { ok: true; configuration: Configuration; changed: boolean }
  | { ok: false; reason: RejectReason; detail: string };

/**
 * One step of membership (Raft thesis §4.1): at most one voter comes or goes, so old and new quorums overlap; or the joint
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
    return {
      ok: false,
      reason: 'other-disk',
      detail: `${change.id} has a different disk now: remove it first`,
    };
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
    return { ok: false, reason: 'other-disk', detail: `${by.id} has a different disk now: remove it first` };
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
