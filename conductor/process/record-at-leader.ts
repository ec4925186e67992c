import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ClusterRecord } from '../chain/record.js';
import { callLeader, type WayToLeader } from './call-leader.js';

/** The other member's text. The reason code of its error is not transmitted. */
const NOT_LEADER = 'node is not the leader';

/** Has the leader record something. @throws RpcError `not-leader` if leadership has moved meanwhile */
export async function recordAtLeader(
  way: WayToLeader,
  leader: string,
  record: ClusterRecord,
  timeoutMs: number,
): Promise<void> {
  try {
    await callLeader(way, leader, { method: 'conductor_record', params: [record] }, timeoutMs);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const { message, reason } = error;
    if (reason === 'refused-by-leader') {
      throw message === NOT_LEADER ? new RpcError(message, { reason: 'not-leader', cause: error }) : error;
    }
    const text =
      reason === 'unknown-outcome'
        ? `the leader ${leader} did not answer in time: it is not known whether this was recorded`
        : `the leader ${leader} could not be asked to record this`;
    throw new RpcError(text, { reason, cause: error });
  }
}
