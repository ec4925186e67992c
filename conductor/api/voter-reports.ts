import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { Suffrage } from '../../rpc/server/conductor-api.js';
import type { VoterReport, VoterState } from '../control/voter-report.js';
import { clusterStatus, type AskStatus } from './cluster-status.js';

/** Longest that a start waits for other members. */
const TIMEOUT_MS = 1000;

/** Asks every voter for the state of its node that a leader needs before it starts its sequencer. */
export async function voterReports(own: ConductorStatus, ask: AskStatus): Promise<readonly VoterReport[]> {
  const voters = own.membership.servers.filter(({ suffrage }) => suffrage === Suffrage.voter);
  const asked = { ...own, membership: { ...own.membership, servers: voters } };
  const { members } = await clusterStatus(asked, ask, TIMEOUT_MS);
  return members.map(({ id, status }) => ({ id, state: status && stateOf(status) }));
}

function stateOf({ node, active, witness }: ConductorStatus): VoterState {
  return {
    head: node.reachable ? node.head : null,
    leftAt: node.leftAt,
    canLead: active && node.reachable,
    sequences: node.sequencerActive === true,
    witness,
  };
}
