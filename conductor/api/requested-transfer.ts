import type { RaftNode } from '../../raft/index.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { Successor } from '../control/decide.js';
import { Fitness } from '../control/eligibility.js';
import type { Succession } from '../control/succession.js';
import { statusOf, type AskStatus } from './cluster-status.js';

/** Longest that a member may take to say whether it is a witness; without an answer, it counts as no witness. */
const ASK_TIMEOUT_MS = 500;

/** What a requested transfer works with. */
export interface TransferDeps {
  raft: Pick<RaftNode<unknown>, 'status' | 'transferLeadership'>;
  succession: Pick<Succession, 'successors'>;
  askStatus: AskStatus;
  /** Called before the attempt, while the log can still record it. */
  announce: (to: string | null) => void;
}

/** Hands leadership over on request, to the best successor that has a node. @throws RpcError */
export async function transferToBest(deps: TransferDeps): Promise<void> {
  const successors = deps.succession.successors();
  for (const successor of successors) {
    if (!(await isWitness(deps, successor))) return transfer(deps, successor.id);
  }
  if (successors.length > 0) {
    throw new RpcError('only a witness answers, and it has no sequencer: bring back a member with a node', {
      reason: 'witness',
    });
  }
  await transfer(deps, undefined);
}

/** Like `transferToBest`, but to a member with this address; any address if it is empty. @throws RpcError */
export async function transferToServer(deps: TransferDeps, id: string, addr: string): Promise<void> {
  const { raft, succession } = deps;
  const { role, configuration } = raft.status();
  if (role !== 'leader') throw new RpcError('node is not the leader', { reason: 'not-leader' });
  const member = configuration.configuration.members.find((candidate) => candidate.id === id);
  if (!member) {
    // op-conductor's words, without the pointer that it prints instead of the id.
    throw new RpcError(`cannot find replication state for ${id}: it is not a member`, {
      reason: 'no-such-member',
    });
  }
  if (addr !== '' && member.address !== addr) {
    throw new RpcError(`the address of ${id} is ${member.address}, not ${addr}`, { reason: 'wrong-address' });
  }
  const successors = succession.successors();
  const target = successors.find((successor) => successor.id === id);
  if (target && (await isWitness(deps, target))) {
    const able = successors.filter(({ fitness }) => fitness !== Fitness.unfit).map((one) => one.id);
    const remedy =
      able.length > 0 ? `transfer it to ${able.join(' or ')}` : 'no other member could sequence now';
    throw new RpcError(`${id} is a witness: it has no sequencer and would hand leadership back; ${remedy}`, {
      reason: 'witness',
    });
  }
  await transfer(deps, id);
}

/** Asks only members that could be one: a witness is always unfit. Never rejects. */
async function isWitness({ raft, askStatus }: TransferDeps, { id, fitness }: Successor): Promise<boolean> {
  if (fitness !== Fitness.unfit) return false;
  const { members } = raft.status().configuration.configuration;
  const address = members.find((member) => member.id === id)?.address ?? '';
  try {
    return (await statusOf({ id, addr: address }, askStatus, ASK_TIMEOUT_MS)).witness;
  } catch {
    return false;
  }
}

async function transfer({ raft, announce }: TransferDeps, id: string | undefined): Promise<void> {
  if (raft.status().role === 'leader') announce(id ?? null);
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
