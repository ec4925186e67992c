import { healthReason, lagBlocks, problems, type ClusterView, type Member } from './cluster-view.js';

const COLUMNS = ['ID', 'ROLE', 'HEALTH', 'ACTIVE', 'HEAD', 'LAG', 'PAUSED', 'VERSION', 'REASON'];

/** In the place of what a witness has not. */
const NO_NODE = '-';

/** The cluster as a table for people, followed by everything that is wrong with it. */
export function renderTable(view: ClusterView): string {
  const rows = [COLUMNS, ...view.members.map((member) => cells(view, member))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '));
  const wrong = problems(view);
  const verdict = wrong.length === 0 ? ['healthy'] : ['not healthy:', ...wrong.map((text) => `  - ${text}`)];
  return [...lines.map((line) => line.trimEnd()), '', ...verdict].join('\n');
}

function cells(view: ClusterView, member: Member): string[] {
  const { id, status, silence } = member;
  if (!status) return [id, shownRole(member), '?', '?', '?', '?', '?', '?', `no answer: ${silence}`];
  const unknown = status.witness ? NO_NODE : '?';
  return [
    id,
    status.witness ? shownWitness(member) : shownRole(member),
    status.health.status,
    status.witness ? NO_NODE : yesNo(status.node.sequencerActive),
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
 * The same for programs: `{healthy, problems, leader, version, members}`, where each member has its whole
 * `conductor_status`, or null. Fields stay; new ones may come.
 */
export function renderJson(view: ClusterView): string {
  const wrong = problems(view);
  const members = view.members.map((member) => ({
    ...member,
    role: shownRole(member),
    lagBlocks: lagBlocks(view, member),
  }));
  const leading = members.filter(({ role }) => role === 'leader');
  const leader = leading.length === 1 ? leading[0]!.id : null;
  return JSON.stringify(
    { healthy: wrong.length === 0, problems: wrong, leader, version: view.version, members },
    null,
    2,
  );
}
