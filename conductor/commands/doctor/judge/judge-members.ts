import { judgeCluster } from '../../../verdict/judge-cluster.js';
import type { ClusterFacts } from '../facts.js';
import type { Finding, Level } from './finding.js';
import { ok } from './finding.js';
import { judgeClocks } from './judge-clocks.js';
import { judgeMemberDisks } from './judge-member-disks.js';
import { judgeMemberTimes } from './judge-member-times.js';
import { judgePaths } from './judge-paths.js';
import { judgeSameness } from './judge-sameness.js';

const LEVELS = { critical: 'failure', degraded: 'warning' } as const satisfies Record<string, Level>;

/** All findings about a running cluster; the verdict of `baton status` comes first. */
export function judgeMembers(facts: ClusterFacts): Finding[] {
  return [
    ...verdictOf(facts),
    ...judgePaths(facts),
    ...judgeClocks(facts),
    ...judgeMemberTimes(facts),
    ...judgeMemberDisks(facts),
    ...judgeSameness(facts),
  ];
}

function verdictOf({ view }: ClusterFacts): Finding[] {
  const { problems, votersKeepingUp, voters, failureTolerance } = judgeCluster(view);
  if (problems.length === 0) {
    const text = `${votersKeepingUp} of ${voters} voters keep up, failure tolerance ${failureTolerance}`;
    return [ok('verdict', text)];
  }
  return problems.map(({ code, severity, message, remedy }) => ({
    ...{ check: 'verdict', level: LEVELS[severity] },
    ...{ code, text: message, remedy },
  }));
}
