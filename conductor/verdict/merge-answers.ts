import type { ClusterStatus, ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { ClusterView, Member } from './cluster-view.js';

/** What one conductor said about the cluster and itself. */
export interface Answer {
  members: ClusterStatus['members'];
  /** A conductor that is not a member is not in its own list. */
  own: ConductorStatus;
}

const ROLES = { 0: 'voter', 1: 'nonvoter' } as const;

/** Merges several answers into one view: the newest configuration of the cluster, with what each member said. */
export function mergeAnswers(answers: readonly Answer[]): ClusterView {
  const heard = answers.flatMap(({ members }) => members);
  const statuses = [
    ...answers.map(({ own }) => own),
    ...heard.flatMap(({ status }) => (status ? [status] : [])),
  ];
  const { clusterId, membership } = newest(statuses);
  const { servers, version } = membership;
  const members = servers.map(({ id, addr, suffrage }): Member => {
    const status = statuses.find((candidate) => candidate.id === id) ?? null;
    const told = heard.find((member) => member.id === id && member.error !== '');
    const silence = status ? '' : (told?.error ?? 'nobody has asked it yet');
    return { id, addr, role: ROLES[suffrage], status, silence };
  });
  const strangers = answers
    .filter(({ own }) => !servers.some(({ id }) => id === own.id))
    .map(({ own }): Member => ({ id: own.id, addr: '', role: 'no member', status: own, silence: '' }));
  return { version, clusterId, members: [...members, ...strangers] };
}

/**
 * The conductor whose configuration counts: the newest one in the cluster that most of the answering members belong to.
 * A member that has founded another cluster meanwhile may have a higher index there, and is ignored.
 */
function newest(statuses: readonly ConductorStatus[]): Pick<ConductorStatus, 'clusterId' | 'membership'> {
  const belonging = (clusterId: string | null): number =>
    clusterId === null
      ? 0
      : new Set(statuses.filter((other) => other.clusterId === clusterId).map(({ id }) => id)).size;
  const [best] = statuses
    .map((status) => ({ status, weight: belonging(status.clusterId) }))
    .sort((a, b) => b.weight - a.weight || b.status.membership.version - a.status.membership.version);
  return best?.status ?? { clusterId: null, membership: { version: 0, servers: [] } };
}
