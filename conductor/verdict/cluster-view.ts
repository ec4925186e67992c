import type { ConductorStatus } from '../../rpc/server/conductor-status.js';

/** One member of the cluster, or a conductor that was asked but is not a member. */
export interface Member {
  id: string;
  /** Consensus address, `host:port`; empty for a conductor that is not a member. */
  addr: string;
  role: 'voter' | 'nonvoter' | 'no member';
  /** Null if it did not answer; `silence` says why. */
  status: ConductorStatus | null;
  silence: string;
}

/** All conductors of a cluster, as they described themselves within one moment. */
export interface ClusterView {
  /** In the order of the cluster's configuration; conductors that are not members come last. */
  members: readonly Member[];
  /** Log index of that configuration. */
  version: number;
  /** The cluster that the view is about; null while no member belongs to one. */
  clusterId: string | null;
}

export type Answering = Member & { status: ConductorStatus };

export function answering(view: ClusterView): Answering[] {
  return view.members.filter((member): member is Answering => member.status !== null);
}

/** Members that answer and belong to the cluster that the view is about. */
export function ofThisCluster(view: ClusterView): Answering[] {
  return answering(view).filter(({ status }) => status.clusterId === view.clusterId);
}

/** The member of this cluster that has applied most of the log, of those that answer. */
export function newestOf(view: ClusterView): Answering | undefined {
  return ofThisCluster(view).sort((a, b) => b.status.appliedIndex - a.status.appliedIndex)[0];
}

/** All that call themselves leader, newest term first: an old one may not know yet that its leadership has ended. */
export function leaders(view: ClusterView): Answering[] {
  return ofThisCluster(view)
    .filter(({ status }) => status.role === 'leader')
    .sort((a, b) => b.status.term - a.status.term);
}

/** Voters that answer, all voters, and how many of them make a majority. */
export function quorum(voters: readonly Member[]): { answering: number; of: number; needed: number } {
  const count = voters.filter(({ status }) => status !== null).length;
  return { answering: count, of: voters.length, needed: majorityOf(voters.length) };
}

export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

export function votersOf(view: ClusterView): Member[] {
  return view.members.filter(({ role }) => role === 'voter');
}

/** Height of the newest committed block that any member knows; null while none is known. */
export function committedHeight(view: ClusterView): number | null {
  const heights = ofThisCluster(view).flatMap(({ status }) => status.head?.number ?? []);
  return heights.length === 0 ? null : Math.max(...heights);
}

/** Blocks by which a node is behind that block, negative if it is ahead; null if unknown. */
export function lagBlocks(view: ClusterView, { status }: Member): number | null {
  const committed = committedHeight(view);
  return status?.node.head && committed !== null ? committed - status.node.head.number : null;
}

/** What a member says about its health, in one line; empty if it is well. */
export function healthReason({ health }: ConductorStatus): string {
  return health.status === 'healthy' ? '' : health.summary;
}

/** Whether nobody leads because too few voters answer. */
export function isQuorumLost(view: ClusterView): boolean {
  const { answering, of, needed } = quorum(votersOf(view));
  return leaders(view).length === 0 && of > 0 && answering < needed;
}

/** Says that nobody leads, and why if that is known. */
export function noLeader(view: ClusterView): string {
  const voters = votersOf(view);
  if (voters.length === 0) return 'there is no cluster yet';
  const { answering, of, needed } = quorum(voters);
  return isQuorumLost(view)
    ? `no leader: ${answering} of ${of} voters answer, ${needed} are needed`
    : 'no leader';
}

export function names(members: readonly Member[]): string {
  return members.map(({ id }) => id).join(', ');
}
