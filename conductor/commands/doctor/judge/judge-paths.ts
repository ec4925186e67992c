import type { ClusterFacts, MemberFacts } from '../facts.js';
import { failure, ok, warning, type Finding } from './finding.js';

/** Whether each member reaches every other one, in both directions. */
export function judgePaths({ view, members }: ClusterFacts): Finding[] {
  // A member that no other reaches is down: the verdict reports it.
  const alive = new Set(members.map(({ id }) => id));
  const paths = members.flatMap((from) => brokenPaths(from, alive));
  const found = [
    ...paths.map(({ from, to, silence }) =>
      failure('peers', 'one-way', `${from} does not reach ${to}: ${silence}`),
    ),
    ...members.flatMap(({ id, rpc }) =>
      'error' in rpc ? [warning('peers', 'rpc-unreachable', `the RPC of ${id}: ${rpc.error}`)] : [],
    ),
  ];
  if (found.length > 0) return found;
  const silent = view.members.length - members.length;
  const rest = silent === 0 ? '' : `; ${silent} do${silent === 1 ? 'es' : ''} not answer anybody`;
  return [ok('peers', `the ${members.length} members that answer reach each other both ways${rest}`)];
}

function brokenPaths(
  { id: from, rpc }: MemberFacts,
  alive: ReadonlySet<string>,
): { from: string; to: string; silence: string }[] {
  if ('error' in rpc) return [];
  return rpc.sees.flatMap(({ id: to, silence }) =>
    silence !== '' && alive.has(to) ? [{ from, to, silence }] : [],
  );
}
