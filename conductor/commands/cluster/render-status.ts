import type { ClusterVerdict } from '../../../rpc/server/cluster-verdict.js';
import { formatGoDuration } from '../../config/go-duration.js';
import {
  healthReason,
  lagBlocks,
  leaders,
  type Answering,
  type ClusterView,
  type Member,
} from '../../verdict/cluster-view.js';
import { maintenanceOf, pausesOf, type ShownPause } from '../../verdict/pauses.js';
import { haltOf } from '../../verdict/halt.js';
import { judgeCluster } from '../../verdict/judge-cluster.js';
import { paint, tableLines, wrap, type Cell, type Column, type Look } from '../output/table.js';
import { haltedSince } from './halted-since.js';
import { memberUrl } from './member-url.js';

/** Shown for values that a witness does not have. */
const NO_NODE = '-';
const UNKNOWN = '?';

interface StatusLook extends Look {
  /** With every column. */
  wide?: boolean;
  /** Wall clock in milliseconds. */
  nowMs: number;
}

interface Seen {
  view: ClusterView;
  member: Answering;
  nowMs: number;
}

interface StatusColumn extends Column {
  /** Only with `-o wide`. */
  wide?: true;
  of: (seen: Seen) => string | Cell;
}

const GOOD = 'green';
const WARNING = 'yellow';
const BAD = 'red';

const HEALTH_STYLES = { healthy: GOOD, degraded: WARNING, unhealthy: BAD, unknown: WARNING } as const;
const LEVEL_STYLES = { ok: GOOD, degraded: WARNING, critical: BAD } as const;

/** Columns after the id and the role, which are known for every member. */
const COLUMNS: readonly StatusColumn[] = [
  { title: 'VOTE', wide: true, of: ({ member }) => yesNo(member.role === 'voter') },
  {
    title: 'HEALTH',
    of: ({ member: { status } }) => ({
      text: status.health.status,
      style: HEALTH_STYLES[status.health.status],
    }),
  },
  { title: 'ACTIVE', of: ({ member }) => activeCell(member) },
  { title: 'TERM', wide: true, of: ({ member }) => String(member.status.term) },
  { title: 'COMMITTED', of: ({ member }) => String(member.status.head?.number ?? UNKNOWN) },
  { title: 'AGE', wide: true, of: ageText },
  { title: 'HEAD', of: ({ member: { status } }) => String(status.node.head?.number ?? unknownOf(status)) },
  { title: 'LAG', of: ({ view, member }) => String(lagBlocks(view, member) ?? unknownOf(member.status)) },
  { title: 'LOG LAG', wide: true, of: ({ view, member }) => String(lagEntries(view, member) ?? UNKNOWN) },
  {
    title: 'PAUSED',
    leftOut: 1,
    of: ({ member: { status } }) => ({
      text: yesNo(status.paused),
      style: status.paused ? WARNING : undefined,
    }),
  },
  { title: 'ADDRESS', wide: true, of: ({ member }) => member.addr || UNKNOWN },
  { title: 'RPC', wide: true, of: ({ member }) => memberUrl(member) ?? UNKNOWN },
  {
    title: 'UPTIME',
    wide: true,
    of: ({ member }) => formatGoDuration(Math.floor(member.status.uptimeMs / 1000) * 1000),
  },
  { title: 'VERSION', leftOut: 2, of: ({ member }) => member.status.version },
  { title: 'REASON', leftOut: 3, of: ({ member }) => healthReason(member.status) },
];

/** The cluster as a table for people, followed by the verdict and all problems. */
export function renderTable(view: ClusterView, look: StatusLook): string {
  const columns = COLUMNS.filter(({ wide }) => look.wide || !wide);
  const rows = view.members.map((member): Cell[] => [
    { text: member.id, style: isLeader(view, member) ? 'bold' : undefined },
    { text: shownRole(member), style: member.status ? undefined : BAD },
    ...cells(view, member, columns, look),
  ]);
  const table = tableLines([{ title: 'ID' }, { title: 'ROLE' }, ...columns], rows, look);
  const halt = haltOf(view);
  const decisions = [...(halt ? [`HALTED ${haltedSince(halt)}`] : []), ...pausesOf(view).map(pauseLine)];
  const decided = decisions.flatMap((line) => wrap(line, 0, look));
  if (decided.length > 0) decided.push('');
  return [...decided, ...table, '', ...verdictLines(view, look)].join('\n');
}

function pauseLine({ text, sinceMs, untilMs }: ShownPause): string {
  const toTheSecond = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const since = sinceMs === undefined ? '' : `, since ${toTheSecond(sinceMs)}`;
  return `PAUSED: ${text}${since}${untilMs === undefined ? '' : `, until ${toTheSecond(untilMs)}`}`;
}

function verdictLines(view: ClusterView, look: StatusLook): string[] {
  const { level, problems, voters, votersKeepingUp, failureTolerance } = judgeCluster(view);
  const painted = (severity: ClusterVerdict['level']): string =>
    paint({ text: severity, style: ['bold', LEVEL_STYLES[severity]] }, look);
  // Colours have no width, so they are added after the line breaks.
  const broken = (indent: number, severity: ClusterVerdict['level'], text: string): string[] => {
    const [first, ...rest] = wrap(`${' '.repeat(indent)}${severity}${text}`, indent, look);
    return [first!.replace(severity, painted(severity)), ...rest];
  };
  const cluster = look.wide && view.clusterId !== null ? [`cluster ${view.clusterId}`] : [];
  return [
    ...broken(
      0,
      level,
      `: ${votersKeepingUp} of ${voters} voters keep up, failure tolerance ${failureTolerance}`,
    ),
    ...cluster,
    ...problems.flatMap(({ code, severity, message, remedy }) => [
      ...broken(4, severity, `: ${message} (${code})`).map((line, at) =>
        at === 0 ? `  - ${line.slice(4)}` : line,
      ),
      ...wrap(`    ${remedy}`, 4, look),
    ]),
  ];
}

function cells(
  view: ClusterView,
  member: Member,
  columns: readonly StatusColumn[],
  { nowMs }: StatusLook,
): Cell[] {
  const { status, silence } = member;
  if (!status) {
    return columns.map(({ title }) => ({
      text: title === 'REASON' ? `no answer: ${silence}` : title === 'ADDRESS' ? member.addr : UNKNOWN,
      style: BAD,
    }));
  }
  return columns.map(({ of }) => {
    const cell = of({ view, member: { ...member, status }, nowMs });
    return typeof cell === 'string' ? { text: cell } : cell;
  });
}

function activeCell({ status }: Answering): Cell {
  const isActive = status.node.sequencerActive;
  return {
    text: status.witness ? NO_NODE : yesNo(isActive),
    style: isActive ? ['bold', GOOD] : undefined,
  };
}

/** Age of the newest committed block, by the clock of this machine. */
function ageText({ member: { status }, nowMs }: Seen): string {
  const timestamp = status.head?.timestamp ?? null;
  return timestamp === null ? UNKNOWN : `${Math.max(0, Math.floor(nowMs / 1000) - timestamp)}s`;
}

const unknownOf = ({ witness }: Answering['status']): string => (witness ? NO_NODE : UNKNOWN);

const isLeader = (view: ClusterView, { id }: Member): boolean => leaders(view)[0]?.id === id;

/** Entries of the leader's log that a member lacks, by the leader's account; null while it does not know. */
function lagEntries(view: ClusterView, { id, status }: Member): number | null {
  const [leader] = leaders(view);
  if (!leader || !status) return null;
  if (id === leader.id) return 0;
  return leader.status.peers.find((peer) => peer.id === id)?.lagEntries ?? null;
}

function shownRole(member: Member): string {
  const { status } = member;
  if (!status?.witness) return plainRole(member);
  const role = plainRole(member);
  // A follower's role needs no words.
  return role === 'follower' ? 'witness' : `${role} (witness)`;
}

function plainRole({ role, status }: Member): string {
  if (role === 'no member') return role;
  if (status?.role === 'leader') return 'leader';
  if (role === 'nonvoter') return 'nonvoter';
  return status?.role ?? UNKNOWN;
}

function yesNo(value: boolean | null): string {
  if (value === null) return UNKNOWN;
  return value ? 'yes' : 'no';
}

/**
 * The same for programs: the fields of the verdict (`schemaVersion`, `level`, `problems`, `leader` …), `healthy`,
 * `version`, `maintenance` and `members`, where each member has its whole `conductor_status`, or null.
 */
export function statusDocument(view: ClusterView): object {
  const verdict = judgeCluster(view);
  const members = view.members.map((member) => ({
    ...member,
    role: plainRole(member),
    rpcUrl: memberUrl(member) ?? null,
    lagBlocks: lagBlocks(view, member),
    lagEntries: lagEntries(view, member),
  }));
  const { version, clusterId } = view;
  return {
    ...verdict,
    healthy: verdict.level === 'ok',
    version,
    clusterId,
    maintenance: maintenanceOf(view),
    members,
  };
}
