import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { ofThisCluster, type Answering, type ClusterView, type Member } from './cluster-view.js';
import type { ProblemCode } from './remedies.js';

/** Log entries or blocks by which a member may be behind: it makes up for such a gap within a moment. */
export const LAG_MAX = 16;

/** A shorter silence may be a single slow answer. The log reports `a peer does not answer` just as early. */
const SILENT_AFTER_MS = 2000;
/** On a slow network, heartbeats take longer: this many election timeouts. */
const SILENT_AFTER_ELECTIONS = 3;

/** One problem of a member, or of the cluster. */
export interface Finding {
  code: ProblemCode;
  member: string | null;
  message: string;
}

/**
 * Why a member does not count in the consensus: its own account, compared with what the leader knows about it. Returns
 * only the first problem, since the others follow from it.
 *
 * @param leader undefined while nobody leads
 */
export function consensusProblem(
  view: ClusterView,
  leader: Answering | undefined,
  member: Member,
): Finding | undefined {
  const { id, role, status, silence } = member;
  const found = (code: ProblemCode, message: string): Finding => ({ code, member: id, message });
  if (!status) return found('no-answer', `${id} does not answer: ${silence}`);
  if (role === 'no member') return found('not-a-member', `${id} is not a member of the cluster`);
  if (status.clusterId === null && view.clusterId !== null) {
    return found('wiped-disk', `${id} is a ${role}, but belongs to no cluster: its disk is empty`);
  }
  if (status.clusterId !== view.clusterId) {
    return found('foreign-cluster', `${id} belongs to another cluster (${status.clusterId})`);
  }
  if (!leader || id === leader.id) return undefined;
  return diskProblem(leader.status, status) ?? contactProblem(leader.status, status);

  function diskProblem(leading: ConductorStatus, own: ConductorStatus): Finding | undefined {
    const added = leading.membership.servers.find((server) => server.id === id)?.disk;
    if (peerOf(leading, id)?.state === 'reverted') {
      return found(
        'disk-reverted',
        `the disk of ${id} has lost what it had confirmed: the leader refuses it`,
      );
    }
    // Older versions do not report it.
    if (added === undefined || own.disk === undefined || added === own.disk) return undefined;
    return found('wiped-disk', `the disk of ${id} is not the one that was added`);
  }

  function contactProblem(leading: ConductorStatus, own: ConductorStatus): Finding | undefined {
    const peer = peerOf(leading, id);
    if (peer && peer.lastContactMs > silentAfterMs(leading)) {
      const seconds = (peer.lastContactMs / 1000).toFixed(1);
      return found('cut-off', `the leader ${leading.id} has heard nothing from ${id} for ${seconds} s`);
    }
    if (own.leader?.id !== leading.id || own.term !== leading.term) {
      const follows = own.leader === null ? 'knows no leader' : `follows ${own.leader.id}`;
      return found(
        'follows-another',
        `${id} ${follows} in term ${own.term}, and ${leading.id} leads in term ${leading.term}`,
      );
    }
    const lag = peer ? lagEntries(leading, peer, own) : 0;
    return lag > LAG_MAX
      ? found('member-behind', `${id} misses ${lag} entries of the leader's log`)
      : undefined;
  }
}

/** Members whose name is used by a process that does not count, as noticed by any member of this cluster. */
export function identityProblems(view: ClusterView): Finding[] {
  const messages = {
    'used-twice': (id: string) => `two processes speak for ${id}, from copies of one disk`,
    unproven: (id: string) => `a process speaks for ${id} and does not answer at the address of that member`,
  };
  const found = new Map<string, Finding>();
  for (const { id, doubt } of ofThisCluster(view).flatMap(({ status }) => status.doubted)) {
    found.set(`${id} ${doubt}`, { code: `identity-${doubt}`, member: id, message: messages[doubt](id) });
  }
  return [...found.values()];
}

type Peer = ConductorStatus['peers'][number];

function peerOf(leading: ConductorStatus, id: string): Peer | undefined {
  return leading.peers.find((peer) => peer.id === id);
}

function silentAfterMs({ timing }: ConductorStatus): number {
  return Math.max(SILENT_AFTER_MS, SILENT_AFTER_ELECTIONS * timing.electionTimeoutMs);
}

/** A newly elected leader does not know yet how far the other logs go, so their own account counts. */
function lagEntries(leading: ConductorStatus, peer: Peer, own: ConductorStatus): number {
  const isUnknown = peer.state === 'probe' && peer.matchIndex === 0;
  return isUnknown ? Math.max(0, leading.lastIndex - own.lastIndex) : peer.lagEntries;
}
