import type { RaftNode } from '../../raft/index.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';

type Raft = Pick<RaftNode<unknown>, 'status' | 'transferLeadership'>;

/** Hands leadership over because somebody asked for it; undefined: to the best successor. @throws RpcError */
export async function transferTo(raft: Raft, id: string | undefined): Promise<void> {
  const outcome = await raft.transferLeadership(id);
  if (outcome.outcome === 'done') return;
  if (outcome.outcome === 'unknown') {
    // op-conductor reports failures of transfers that succeeded (#22924): look again before answering.
    if (raft.status().role !== 'leader') return;
    throw new RpcError('leadership transfer timeout', { reason: 'unknown-outcome', cause: outcome.reason });
  }
  const text = {
    'not-leader': 'node is not the leader',
    'transfer-in-progress': 'leadership transfer in progress',
    'already-leader': 'cannot transfer leadership to itself',
  }[outcome.reason as string];
  throw new RpcError(text ?? outcome.detail ?? outcome.reason, { reason: outcome.reason });
}

/** As `transferTo`, to a member with this address; any address if it is empty. @throws RpcError */
export async function transferToServer(raft: Raft, id: string, addr: string): Promise<void> {
  const { role, configuration } = raft.status();
  if (role !== 'leader') throw new RpcError('node is not the leader', { reason: 'not-leader' });
  const member = configuration.configuration.members.find((candidate) => candidate.id === id);
  if (!member) {
    // op-conductor's words, less the pointer that it prints in the place of the id.
    throw new RpcError(`cannot find replication state for ${id}: it is not a member`, {
      reason: 'no-such-member',
    });
  }
  if (addr !== '' && member.address !== addr) {
    throw new RpcError(`the address of ${id} is ${member.address}, not ${addr}`, { reason: 'wrong-address' });
  }
  await transferTo(raft, id);
}
