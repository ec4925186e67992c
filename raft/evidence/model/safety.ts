import { isQuorum } from '../checks/quorums.js';
import type { ClusterState } from './cluster-state.js';
import type { LogView, NodeState } from './node-states.js';
import { NODES } from './starting-points.js';

/**
 * The paper's four properties of a whole cluster (fig. 3), as predicates on one state. Each returns what is wrong.
 */
export class Safety {
  private readonly judged = new Map<string, string | undefined>();

  /** @returns what is wrong with the state, or undefined */
  judge({ nodes: numbers, committed }: ClusterState, nodes: readonly NodeState[]): string | undefined {
    const question = `${numbers.join()}|${committed.join()}`;
    if (!this.judged.has(question)) {
      this.judged.set(question, logMatching(nodes) ?? leaderCompleteness(nodes, committed));
    }
    return this.judged.get(question);
  }
}

/** Election Safety: no other node led this term before. @returns the leaders by term, or what is wrong */
export function withLeader(
  leaders: readonly number[],
  node: NodeState,
  before: NodeState,
): readonly number[] | string {
  const { role, term } = node.ctx;
  if (role !== 'leader' || (before.ctx.role === 'leader' && before.ctx.term === term)) return leaders;
  const known = leaders[term] ?? -1;
  if (known >= 0) return `Election Safety: ${NODES[known]} and ${NODES[node.node]} both lead term ${term}`;
  const next = [...leaders];
  while (next.length < term) next.push(-1);
  next[term] = node.node;
  return next;
}

/** State Machine Safety: one entry per index is ever committed. @returns the ledger, or what is wrong */
export function withCommits(
  committed: readonly number[],
  { node, ctx }: NodeState,
): readonly number[] | string {
  const { commit, log } = ctx;
  for (let index = Math.max(1, log.snapshotIndex); index <= Math.min(commit, committed.length); index++) {
    if (log.hashAt(index) !== committed[index - 1]) {
      return `State Machine Safety: ${NODES[node]} commits another entry ${index} than was committed before`;
    }
  }
  if (commit <= committed.length) return committed;
  const next = [...committed];
  for (let index = committed.length + 1; index <= commit; index++) next.push(log.hashAt(index) as number);
  return next;
}

/** Log Matching: entries with equal index and term are equal, and so is everything before them. */
function logMatching(nodes: readonly NodeState[]): string | undefined {
  for (const x of nodes) {
    for (const y of nodes) {
      if (y.node <= x.node) continue;
      const from = Math.max(x.ctx.log.snapshotIndex, y.ctx.log.snapshotIndex, 1);
      const to = Math.min(x.ctx.log.lastIndex, y.ctx.log.lastIndex);
      for (let index = from; index <= to; index++) {
        if (x.ctx.log.termAt(index) !== y.ctx.log.termAt(index)) continue;
        if (x.ctx.log.hashAt(index) === y.ctx.log.hashAt(index)) continue;
        return `Log Matching: entry ${index} of ${NODES[x.node]} and ${NODES[y.node]} has one term and two contents`;
      }
    }
  }
  return undefined;
}

/**
 * Leader Completeness, checked in advance: every node that could win an election from here has everything committed.
 * After a crash a node has what is on its disk, and any node may crash, so voters are counted with their disks.
 */
function leaderCompleteness(nodes: readonly NodeState[], committed: readonly number[]): string | undefined {
  for (const candidate of nodes) {
    for (const log of [candidate.durable, candidate.volatile]) {
      const missing = missingIn(log, committed);
      if (missing === undefined || !canWin(log, nodes)) continue;
      return `Leader Completeness: ${NODES[candidate.node]} can be elected without committed entry ${missing}`;
    }
  }
  return undefined;
}

/** The newest committed entry decides, because its chain hash covers what comes before it. */
function missingIn(log: LogView, committed: readonly number[]): number | undefined {
  const last = committed.length;
  const newest = committed[last - 1];
  return newest === undefined || log.hashAt(last) === newest ? undefined : last;
}

function canWin(log: LogView, nodes: readonly NodeState[]): boolean {
  return isQuorum(log.quorums, (id) => {
    const { durable } = nodes[NODES.indexOf(id as (typeof NODES)[number])] as NodeState;
    const isNewer =
      durable.lastTerm > log.lastTerm ||
      (durable.lastTerm === log.lastTerm && durable.lastIndex > log.lastIndex);
    return !isNewer;
  });
}
