import type { Inspection } from '../../../raft/index.js';
import type { ChainSummary } from './chain-summary.js';

/** The report as `--json` prints it. */
export function inspectionJson(inspection: Inspection, chain: ChainSummary): object {
  return {
    ...inspection,
    ok: inspection.ok && chain.problem === undefined,
    checks: inspection.checks.map(({ name, error }) =>
      error === undefined
        ? { name, ok: true }
        : { name, ok: false, code: error.code, message: error.message, remedy: error.remedy },
    ),
    chain: { oldest: chain.oldest, head: chain.head, problem: chain.problem ?? null },
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
  for (const { index, configuration } of configurations) {
    const members = configuration.members.map(
      ({ id, address, voter }) => `${id}@${address}${voter ? '' : ' (no vote)'}`,
    );
    lines.push(`members     since ${index}: ${members.join(', ') || 'none'}`);
  }
  lines.push(
    chain.head
      ? `blocks      up to ${chain.head.number} ${chain.head.hash}, at index ${chain.head.logIndex}`
      : 'blocks      none',
  );
  for (const { name, error } of checks) {
    lines.push(`check       ${name}: ${error ? `FAILED, ${error.message} (${error.code})` : 'ok'}`);
  }
  if (chain.problem !== undefined) lines.push(`check       blocks: FAILED, ${chain.problem}`);
  return lines;
}
