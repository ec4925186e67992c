import type { RefusedCommits } from '../control/refused-commits.js';
import type { CallReport } from '../../rpc/server/json-rpc/call-report.js';
import { RpcCode } from '../../rpc/server/json-rpc/rpc-error.js';

const METHODS = ['conductor_commitUnsafePayload', 'commit-unsafe-payload'];
/** Refusals because of the block itself, not because of leadership or quorum. */
const REASONS = ['contradicts-chain', 'unlinked-gap'];

/** Notes the result of a commit; ignores other calls. */
export function noteCommitAnswer(
  commits: Pick<RefusedCommits, 'forget' | 'refused'>,
  { method, error }: Pick<CallReport, 'method' | 'error'>,
  nowMs: number,
): void {
  if (!METHODS.includes(method)) return;
  if (!error) commits.forget();
  else if (REASONS.includes(error.reason) || error.code === RpcCode.invalidParams)
    commits.refused(error.message, nowMs);
}
