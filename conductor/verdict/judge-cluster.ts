import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';
import {
  answering,
  isQuorumLost,
  leaders,
  majorityOf,
  names,
  noLeader,
  votersOf,
  type Answering,
  type ClusterView,
} from './cluster-view.js';
import { consensusProblem, identityProblems, type Finding } from './consensus-problems.js';
import { nodeProblems } from './node-problems.js';
import { pausesOf } from './pauses.js';
import { remedyOf, severityOf } from './remedies.js';
import { sequencerProblems } from './sequencer-problems.js';

/** See `ClusterVerdict`; docs/ERRORS.md has the codes of one version. */
const SCHEMA_VERSION = 1;

/** Judges a cluster by its members' own accounts and by what the leader knows about them. */
export function judgeCluster(view: ClusterView): ClusterVerdict {
  const leading = leaders(view);
  const standing = standingOf(view);
  const found = [
    ...leaderProblems(view, leading, standing),
    ...sequencerProblems(view),
    ...pauseProblems(view),
    ...view.members.flatMap((member) => consensusProblem(view, leading[0], member) ?? []),
    ...identityProblems(view),
    ...answering(view).flatMap((member) => nodeProblems(view, member)),
  ];
  const addresses = new Map(view.members.map(({ id, addr }) => [id, addr]));
  const problems = found.map(({ code, member, message }) => ({
    code,
    severity: severityOf(code),
    member,
    message,
    remedy: remedyOf(code, member, addresses.get(member ?? '')),
  }));
  const critical = problems.filter(({ severity }) => severity === 'critical');
  const degraded = problems.filter(({ severity }) => severity === 'degraded');
  return {
    schemaVersion: SCHEMA_VERSION,
    level: critical.length > 0 ? 'critical' : degraded.length > 0 ? 'degraded' : 'ok',
    problems: [...critical, ...degraded],
    leader: leading.length === 1 ? leading[0]!.id : null,
    ...standing,
  };
}

/** Reported once for the cluster, or for each member with its own pause. */
function pauseProblems(view: ClusterView): Finding[] {
  return pausesOf(view).map(({ member, text: message }) => ({
    code: member === null ? 'cluster-paused' : 'paused',
    member,
    message,
  }));
}

type Standing = Pick<ClusterVerdict, 'voters' | 'votersKeepingUp' | 'failureTolerance'>;

/** How many voters there are, how many of them count, and how many of these may fail. */
function standingOf(view: ClusterView): Standing {
  const voters = votersOf(view);
  return toleranceOf(voters.length, votersKeepingUp(view).length);
}

/** Ids of the voters that answer and keep up with the leader on the disk that was added. */
export function votersKeepingUp(view: ClusterView): string[] {
  const [leader] = leaders(view);
  return votersOf(view)
    .filter((voter) => consensusProblem(view, leader, voter) === undefined)
    .map(({ id }) => id);
}

/** How many of the voters that keep up may fail before blocks can no longer be committed. */
export function toleranceOf(voters: number, votersKeepingUp: number): Standing {
  return { voters, votersKeepingUp, failureTolerance: Math.max(0, votersKeepingUp - majorityOf(voters)) };
}

function leaderProblems(view: ClusterView, leading: readonly Answering[], standing: Standing): Finding[] {
  const about = (code: Finding['code'], message: string): Finding[] => [{ code, member: null, message }];
  if (leading.length > 1)
    return about('several-leaders', `several call themselves leader: ${names(leading)}`);
  const { voters, votersKeepingUp, failureTolerance } = standing;
  if (voters === 0) return about('no-cluster', noLeader(view));
  if (leading.length === 0) return about(isQuorumLost(view) ? 'quorum-lost' : 'no-leader', noLeader(view));
  const counts = `${votersKeepingUp} of ${voters} voters ${votersKeepingUp === 1 ? 'keeps' : 'keep'} up`;
  const needed = `${majorityOf(voters)} ${majorityOf(voters) === 1 ? 'is' : 'are'} needed`;
  if (votersKeepingUp < majorityOf(voters)) {
    return about('quorum-lost', `${counts}, and ${needed}: no block is committed`);
  }
  return failureTolerance > 0
    ? []
    : about('no-failure-tolerance', `${counts}, and ${needed}: the next failure of one stops the chain`);
}
