import type { ClusterVerdict } from '../../../rpc/server/cluster-verdict.js';
import { healthReason, lagBlocks, type ClusterView, type Member } from '../../verdict/cluster-view.js';
import { judgeCluster } from '../../verdict/judge-cluster.js';

const COLUMNS = [
  ...['ID', 'ROLE', 'HEALTH', 'ACTIVE', 'COMMITTED', 'HEAD', 'LAG', 'PAUSED', 'VERSION', 'REASON'],
];

/** In the place of what a witness has not. */
const NO_NODE = '-';

/** The cluster as a table for people, followed by the verdict and everything that is wrong with it. */
export function renderTable(view: ClusterView): string {
  const rows = [COLUMNS, ...view.members.map((member) => cells(view, member))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '));
  return [...lines.map((line) => line.trimEnd()), '', ...verdictLines(judgeCluster(view))].join('\n');
}

function verdictLines(verdict: ClusterVerdict): string[] {
  const { level, problems, voters, votersKeepingUp, failureTolerance } = verdict;
  return [
    `${level}: ${votersKeepingUp} of ${voters} voters keep up, failure tolerance ${failureTolerance}`,
    ...problems.flatMap(({ code, severity, message, remedy }) => [
      `  - ${severity}: ${message} (${code})`,
      `    ${remedy}`,
    ]),
  ];
}

function cells(view: ClusterView, member: Member): string[] {
  const { id, status, silence } = member;
  if (!status) return [id, shownRole(member), ...COLUMNS.slice(3).map(() => '?'), `no answer: ${silence}`];
  const unknown = status.witness ? NO_NODE : '?';
  return [
    id,
    status.witness ? shownWitness(member) : shownRole(member),
    status.health.status,
    status.witness ? NO_NODE : yesNo(status.node.sequencerActive),
    String(status.head?.number ?? '?'),
    String(status.node.head?.number ?? unknown),
    String(lagBlocks(view, member) ?? unknown),
    yesNo(status.paused),
    status.version,
    healthReason(status),
  ];
}

function shownRole({ role, status }: Member): string {
  if (role === 'no member') return role;
  if (status?.role === 'leader') return 'leader';
  if (role === 'nonvoter') return 'nonvoter';
  return status?.role ?? '?';
}

/** That it follows goes without saying. */
function shownWitness(member: Member): string {
  const role = shownRole(member);
  return role === 'follower' ? 'witness' : `${role} (witness)`;
}

function yesNo(value: boolean | null): string {
  if (value === null) return '?';
  return value ? 'yes' : 'no';
}

/**
 * The same for programs: the members of the verdict (`schemaVersion`, `level`, `problems`, `leader` …), `healthy`,
 * `version` and `members`, where each member has its whole `conductor_status`, or null. Fields stay as long as
 * `schemaVersion` does; new ones may come.
 */
export function renderJson(view: ClusterView): string {
  const verdict = judgeCluster(view);
  const members = view.members.map((member) => ({
    ...member,
    role: shownRole(member),
    lagBlocks: lagBlocks(view, member),
  }));
  const { version, clusterId } = view;
  return JSON.stringify(
    { ...verdict, healthy: verdict.level === 'ok', version, clusterId, members },
    null,
    2,
  );
}
