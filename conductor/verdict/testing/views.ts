import type { ConductorStatus } from '../../../rpc/server/conductor-status.js';
import type { ClusterView, Member } from '../cluster-view.js';

/** A member that gives this answer. */
export const member = (status: ConductorStatus, role: Member['role'] = 'voter'): Member => ({
  id: status.id,
  addr: role === 'no member' ? '' : `10.0.0.1:${50_000 + status.id.charCodeAt(0)}`,
  role,
  status,
  silence: '',
});

/** A voter that does not answer. */
export const silent = (id: string): Member => ({
  id,
  addr: '10.0.0.9:50050',
  role: 'voter',
  status: null,
  silence: 'connect ECONNREFUSED 10.0.0.9:50050',
});

/** These members as one cluster: the cluster of the first one that belongs to any. */
export const viewOf = (...members: Member[]): ClusterView => ({
  members,
  version: 7,
  clusterId: members.flatMap(({ status }) => status?.clusterId ?? [])[0] ?? null,
});
