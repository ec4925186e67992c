import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';
import { PROBLEM_CODES, severityOf } from '../verdict/remedies.js';
import type { Families } from './families.js';

const LEVELS = { ok: 0, degraded: 1, critical: 2 } as const;

/** The verdict on the whole cluster, as `baton status` shows it. */
export class ClusterMetrics {
  private readonly level;
  private readonly problems;
  private readonly voters;
  private readonly keepingUp;
  private readonly tolerance;

  constructor(families: Families) {
    this.level = families.gauge(
      'baton_cluster_level',
      'Verdict on the cluster, as seen from this node: 0 ok, 1 degraded, 2 critical',
    );
    this.problems = families.gauge(
      'baton_cluster_problems',
      'Problems of the cluster, as seen from this node, by their code',
      'code',
      'severity',
    );
    this.voters = families.gauge('baton_cluster_voters', 'Voters of the cluster');
    this.keepingUp = families.gauge(
      'baton_cluster_voters_keeping_up',
      'Voters that answer and keep up with the leader',
    );
    this.tolerance = families.gauge(
      'baton_cluster_failure_tolerance',
      'Voters that may fail before no block is committed any more',
    );
  }

  set({ level, problems, voters, votersKeepingUp, failureTolerance }: ClusterVerdict): void {
    this.level.set(LEVELS[level]);
    this.voters.set(voters);
    this.keepingUp.set(votersKeepingUp);
    this.tolerance.set(failureTolerance);
    // All codes, so that an alert has a series before the first problem.
    for (const code of PROBLEM_CODES) {
      const count = problems.filter((problem) => problem.code === code).length;
      this.problems.set({ code, severity: severityOf(code) }, count);
    }
  }
}
