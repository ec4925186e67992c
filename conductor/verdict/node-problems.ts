import { healthReason, lagBlocks, type Answering, type ClusterView } from './cluster-view.js';
import { LAG_MAX, type Finding } from './consensus-problems.js';
import { haltOf, isOnlyOld } from './halt.js';
import type { ProblemCode } from './remedies.js';

const HEALTH_CODES = {
  unhealthy: 'node-unhealthy',
  degraded: 'node-degraded',
  unknown: 'node-unchecked',
} as const;

/** Problems of the local node and the override of a member that answers, apart from consensus. */
export function nodeProblems(view: ClusterView, member: Answering): Finding[] {
  const { id, role, status } = member;
  if (role === 'no member') return [];
  const found: Finding[] = [];
  const add = (code: ProblemCode, message: string): void => void found.push({ code, member: id, message });
  const { health, leaderOverridden } = status;
  if (health.status !== 'healthy' && !(haltOf(view) && isOnlyOld(status))) {
    add(HEALTH_CODES[health.status], `${id} is ${health.status}: ${healthReason(status)}`);
  }
  const lag = lagBlocks(view, member) ?? 0;
  if (lag > LAG_MAX) add('node-behind', `the execution client of ${id} misses ${lag} committed blocks`);
  if (leaderOverridden) add('leader-overridden', `the leader is overridden on ${id}`);
  if (status.node.overriddenSinceMs !== null) {
    add('node-overridden', `the op-node of ${id} publishes without its conductor until it is restarted`);
  }
  return found;
}
