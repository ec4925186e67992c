import {
  clusterStatusSchema,
  conductorStatusSchema,
  type ClusterStatus,
} from '../../../../rpc/server/conductor-status.js';
import { answering, type Answering, type ClusterView } from '../../../verdict/cluster-view.js';
import type { ClusterClient } from '../../cluster/cluster-client.js';
import type { ClusterFacts, MemberFacts } from '../facts.js';

const TIMEOUT_MS = 3000;
/** The fastest one counts: its answer was delayed the least. */
const QUESTIONS = 5;

/** A member as another one reached it. */
type Seen = ClusterStatus['members'][number];

/**
 * Asks the given conductors for the members, and then each member at its own RPC for its view of the others and its
 * clock. Also asks members that only another one can reach.
 *
 * @throws CommandError `no-answer` if none of the given addresses answers
 */
export async function gatherCluster(cluster: ClusterClient): Promise<ClusterFacts> {
  let view = await cluster.view();
  const asked = new Map<string, MemberFacts>();
  for (;;) {
    const next = answering(view).filter(({ id }) => !asked.has(id));
    if (next.length === 0) return { view, members: [...asked.values()] };
    const found = await Promise.all(next.map((member) => askMember(cluster, member)));
    for (const { facts } of found) asked.set(facts.id, facts);
    view = withSeen(
      view,
      found.flatMap(({ seen }) => seen),
    );
  }
}

/** The same view, with members that were silent then but were reached by another one meanwhile. */
function withSeen(view: ClusterView, seen: readonly Seen[]): ClusterView {
  const members = view.members.map((member) => {
    const status = member.status ?? seen.find(({ id, status }) => id === member.id && status)?.status ?? null;
    return { ...member, status, silence: status ? '' : member.silence };
  });
  return { ...view, members };
}

async function askMember(
  cluster: ClusterClient,
  member: Answering,
): Promise<{ facts: MemberFacts; seen: Seen[] }> {
  const { id } = member;
  try {
    const { members } = await cluster.read(
      member,
      'conductor_clusterStatus',
      clusterStatusSchema,
      TIMEOUT_MS,
    );
    const sees = members.map(({ id, error }) => ({ id, silence: error }));
    return { facts: { id, rpc: { sees, clock: await clockOf(cluster, member) } }, seen: members };
  } catch (error) {
    return { facts: { id, rpc: { error: (error as Error).message } }, seen: [] };
  }
}

/** The clock of a member compared with this machine's. Undefined for a release that does not report it. */
async function clockOf(
  cluster: ClusterClient,
  member: Answering,
): Promise<{ offsetMs: number; uncertaintyMs: number } | undefined> {
  let best: { offsetMs: number; uncertaintyMs: number } | undefined;
  for (let question = 0; question < QUESTIONS; question++) {
    const begunMs = performance.now();
    const { machine } = await cluster.read(member, 'conductor_status', conductorStatusSchema, TIMEOUT_MS);
    const endedMs = performance.now();
    if (!machine) return undefined;
    const uncertaintyMs = (endedMs - begunMs) / 2;
    const offsetMs = machine.clockMs - (performance.timeOrigin + (begunMs + endedMs) / 2);
    if (!best || uncertaintyMs < best.uncertaintyMs) best = { offsetMs, uncertaintyMs };
  }
  return best;
}
