import type { Inspection, StorageError } from '../../../raft/index.js';
import type { JournalEntry, RecordsState } from '../../chain/cluster-records.js';
import type { RecordedDecision } from '../../chain/maintenance.js';
import type { ChainSummary } from './chain-summary.js';

/** The problem, without the remedy at the end of the error's text, which is shown separately. */
export function seenOf({ message, remedy }: Pick<StorageError, 'message' | 'remedy'>): string {
  return message.endsWith(remedy) ? message.slice(0, -remedy.length).replace(/\.\s*$/, '') : message;
}

/** The report as `--json` prints it. */
export function inspectionJson(inspection: Inspection, chain: ChainSummary): object {
  return {
    ...inspection,
    ok: inspection.ok && chain.problem === undefined,
    checks: inspection.checks.map(({ name, error }) =>
      error === undefined
        ? { name, ok: true }
        : { name, ok: false, code: error.code, message: seenOf(error), remedy: error.remedy },
    ),
    chain: { oldest: chain.oldest, head: chain.head, problem: chain.problem ?? null },
    records: chain.records,
  };
}

/** The report for a person. */
export function inspectionLines(inspection: Inspection, chain: ChainSummary): string[] {
  const { identity, hardState, log, last, snapshot, configurations, checks } = inspection;
  const lines = [`directory   ${inspection.directory}`];
  if (identity) {
    lines.push(
      `node        ${identity.nodeId} (disk ${identity.incarnation})`,
      `cluster     ${identity.clusterId ?? 'none yet'}${identity.epoch ? `, recovered ${identity.epoch} times` : ''}`,
    );
  }
  if (hardState) {
    lines.push(
      `term        ${hardState.term}, voted for ${hardState.votedFor ?? 'nobody'}; commit known up to ${hardState.commit}`,
    );
  }
  if (log && last) {
    lines.push(
      `log         entries ${log.firstIndex} to ${log.lastIndex} (${log.entries}, ${log.bytes} bytes), last of term ${last.term}`,
    );
  }
  lines.push(
    snapshot
      ? `snapshot    at ${snapshot.index}, term ${snapshot.term}, ${snapshot.byteLength} bytes`
      : 'snapshot    none',
  );
  lines.push(...membersLines(configurations));
  lines.push(
    chain.head
      ? `blocks      up to ${chain.head.number} ${chain.head.hash}, at index ${chain.head.logIndex}`
      : 'blocks      none',
  );
  lines.push(...recordLines(chain.records));
  for (const { name, error } of checks) {
    lines.push(`check       ${name}: ${error ? `FAILED, ${seenOf(error)} (${error.code})` : 'ok'}`);
  }
  if (chain.problem !== undefined) lines.push(`check       blocks: FAILED, ${chain.problem}`);
  return lines;
}

/** A configuration also has the timing of the cluster. If the members are the same, it says only that. */
function membersLines(configurations: Inspection['configurations']): string[] {
  let before: string | undefined;
  return configurations.map(({ index, configuration }) => {
    const members = configuration.members.map(
      ({ id, address, voter }) => `${id}@${address}${voter ? '' : ' (no vote)'}`,
    );
    const text = members.join(', ') || 'none';
    const isSame = text === before;
    before = text;
    return `members     since ${index}: ${isSame ? 'the same, with other timing or disks' : text}`;
  });
}

/** The state in force, and the newest record. */
function recordLines({ journal, maintenance }: RecordsState): string[] {
  const newest = journal.at(-1);
  if (!newest) return ['records     none'];
  const { cluster, members, halt } = maintenance;
  const pauses = Object.entries(members).map(([id, pause]): [string, RecordedDecision] => [id, pause]);
  if (cluster) pauses.unshift(['the cluster', cluster]);
  return [
    `records     ${journal.length}, the newest ${describe(newest)}`,
    ...(halt ? [`halted      ${since(halt)}`] : []),
    ...pauses.map(([what, pause]) => `paused      ${what}, ${since(pause)}`),
  ];
}

function describe({ logIndex, record }: JournalEntry): string {
  const { kind, what, node, atMs } = record;
  return `${kind} ${what} at ${node}, ${new Date(atMs).toISOString()}, index ${logIndex}`;
}

function since({ sinceMs, who }: RecordedDecision): string {
  const by = who.owner === undefined ? '' : ` by ${who.owner}`;
  const why = who.reason === undefined ? '' : `: ${who.reason}`;
  return `since ${new Date(sinceMs).toISOString()}${by}${why}`;
}
