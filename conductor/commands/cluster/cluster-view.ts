import type { ConductorStatus } from '../../../rpc/server/conductor-status.js';

/** One member of the cluster, or a conductor that was asked and is none. */
export interface Member {
  id: string;
  /** Consensus address, `host:port`; empty for one that is no member. */
  addr: string;
  role: 'voter' | 'nonvoter' | 'no member';
  /** Null when it did not answer; `silence` says why. */
  status: ConductorStatus | null;
  silence: string;
}

/** All conductors of a cluster, as they described themselves within one moment. */
export interface ClusterView {
  /** In the order of the cluster's configuration; those that are no members come last. */
  members: readonly Member[];
  /** Log index of that configuration. */
  version: number;
}

export type Answering = Member & { status: ConductorStatus };

export function answering(view: ClusterView): Answering[] {
  return view.members.filter((member): member is Answering => member.status !== null);
}

/** All that call themselves leader, the one of the newest term first: an old one may not know yet that it is over. */
export function leaders(view: ClusterView): Answering[] {
  return answering(view)
    .filter(({ status }) => status.role === 'leader')
    .sort((a, b) => b.status.term - a.status.term);
}

/** Voters that answer, all voters, and how many of them make a majority. */
export function quorum(voters: readonly Member[]): { answering: number; of: number; needed: number } {
  const count = voters.filter(({ status }) => status !== null).length;
  return { answering: count, of: voters.length, needed: Math.floor(voters.length / 2) + 1 };
}

export function votersOf(view: ClusterView): Member[] {
  return view.members.filter(({ role }) => role === 'voter');
}

/** Blocks behind the newest committed block that any member knows; null if that cannot be told. */
export function lagBlocks(view: ClusterView, { status }: Member): number | null {
  const committed = answering(view).flatMap((member) => member.status.head?.number ?? []);
  if (!status?.node.head || committed.length === 0) return null;
  return Math.max(0, Math.max(...committed) - status.node.head.number);
}

/** What a member says of its health, in one line; empty when it is well. */
export function healthReason({ health }: ConductorStatus): string {
  return health.status === 'healthy' ? '' : health.summary;
}

/** Everything that keeps the cluster from being healthy with exactly one leader; empty when all is well. */
export function problems(view: ClusterView): string[] {
  return [...leaderProblems(view), ...view.members.flatMap(memberProblems), ...sequencerProblems(view)];
}

function leaderProblems(view: ClusterView): string[] {
  const leading = leaders(view);
  if (leading.length === 1) return [];
  return leading.length > 1 ? [`several call themselves leader: ${names(leading)}`] : [noLeader(view)];
}

/** That nobody leads, and why, if that can be told. */
export function noLeader(view: ClusterView): string {
  const voters = votersOf(view);
  if (voters.length === 0) return 'there is no cluster yet';
  const { answering, of, needed } = quorum(voters);
  return answering < needed
    ? `no leader: ${answering} of ${of} voters answer, ${needed} are needed`
    : 'no leader';
}

function memberProblems(member: Member): string[] {
  const { id, role, status, silence } = member;
  if (!status) return [`${id} does not answer: ${silence}`];
  if (role === 'no member') return [`${id} is not a member of the cluster`];
  const found: string[] = [];
  const { health, paused, pausedBy, leaderOverridden } = status;
  if (health.status !== 'healthy') {
    found.push(`${id} is ${health.status}: ${healthReason(status)}`);
  }
  if (paused) found.push(`${id} is paused${pausedBy === undefined ? '' : ` (by ${pausedBy})`}`);
  if (leaderOverridden) found.push(`the leader is overridden on ${id}`);
  return found;
}

function sequencerProblems(view: ClusterView): string[] {
  const active = answering(view).filter(({ status }) => status.node.sequencerActive);
  if (active.length > 1) return [`several sequencers are active: ${names(active)}`];
  const [leader] = leaders(view);
  // That a paused conductor starts nothing is said already; a witness has nothing to start.
  const restsPaused = leader?.status.paused === true && !leader.status.witness;
  if (!leader || restsPaused || active[0] === leader) return [];
  if (active[0]) return [`the active sequencer is ${active[0].id}, not that of the leader ${leader.id}`];
  // It hands over within a moment if there is anybody to hand over to.
  if (leader.status.witness)
    return [`the leader ${leader.id} is a witness, and no member with a node could take over`];
  const { startHeldBy } = leader.status.node;
  const why = startHeldBy === '' ? '' : `: ${startHeldBy}`;
  return [`the sequencer of the leader ${leader.id} is not active${why}`];
}

function names(members: readonly Member[]): string {
  return members.map(({ id }) => id).join(', ');
}
