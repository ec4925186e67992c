import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { MaintenanceStatus } from '../../rpc/server/maintenance-status.js';
import { newestOf, type ClusterView } from './cluster-view.js';

/** A pause as it is shown. */
export interface ShownPause {
  /** Null: the whole cluster. */
  member: string | null;
  /** Who is paused, by what or whom, and why. */
  text: string;
  /** Wall clock in milliseconds. */
  sinceMs: number | undefined;
  /** When it ends by itself, if it does. */
  untilMs: number | undefined;
}

/** The decisions of operators, from the member that has applied most of the log. */
export function maintenanceOf(view: ClusterView): MaintenanceStatus {
  return newestOf(view)?.status.maintenance ?? { cluster: null, members: {}, halt: null };
}

/** The pause of the whole cluster first, then those of members, including members that do not answer. */
export function pausesOf(view: ClusterView): ShownPause[] {
  const { cluster, members } = maintenanceOf(view);
  return [
    ...(cluster ? [recorded(null, cluster)] : []),
    ...view.members.flatMap(({ id, role, status }) => {
      if (status === null) return members[id] ? [recorded(id, members[id])] : [];
      // Already reported for the cluster.
      const isTold = status.pausedBy === 'cluster' && cluster !== null;
      return status.paused && role !== 'no member' && !isTold ? [ownPause(id, status)] : [];
    }),
  ];
}

type RecordedPause = NonNullable<MaintenanceStatus['cluster']>;

function recorded(member: string | null, { sinceMs, untilMs, who }: RecordedPause): ShownPause {
  const text = `${member ?? 'the cluster'} is paused${said(who)}`;
  return { member, text, sinceMs, untilMs: untilMs ?? undefined };
}

function ownPause(member: string, status: ConductorStatus): ShownPause {
  const { pausedBy, pausedSinceMs, pausedUntilMs, pausedOwner: owner, pausedReason: reason } = status;
  const by = pausedBy === undefined ? '' : ` (by ${pausedBy})`;
  const text = `${member} is paused${by}${said({ owner, reason })}`;
  return { member, text, sinceMs: pausedSinceMs, untilMs: pausedUntilMs };
}

function said({ owner, reason }: { owner?: string | undefined; reason?: string | undefined }): string {
  return `${owner === undefined ? '' : `, ${owner}`}${reason === undefined ? '' : `: ${reason}`}`;
}
