import { z } from 'zod';
import { ClientError, rpcFailure } from '../../rpc/clients/client-error.js';
import { JsonRpcClient } from '../../rpc/clients/json-rpc-client.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { statusOfMember, type AskStatus } from '../api/cluster-status.js';
import { rpcUrlOf } from '../config/host-port.js';
import type { LeaderCall } from '../membership/see-through.js';
import { notAsked, refusedByLeader, unknownOutcome } from './leader-errors.js';

/** What this node knows about the RPC ports of other members. */
export interface RpcOfMembers {
  own: () => ConductorStatus;
  askStatus: AskStatus;
}

const STATUS_TIMEOUT_MS = 2000;

/**
 * Has a member of an older release, which takes no calls over the consensus port, carry out a call: over its RPC, at
 * the host of its consensus address and the port that it names. Such a release asks for no credential there.
 *
 * @throws RpcError as `callLeader`
 */
export async function callOverRpc(
  members: RpcOfMembers,
  leader: string,
  { method, params }: LeaderCall,
  timeoutMs: number,
): Promise<void> {
  const url = await urlOf(members, leader).catch((error: Error) => {
    throw notAsked(leader, method, error.message);
  });
  const client = new JsonRpcClient({ url, timeoutMs });
  try {
    await client.call({ method, params, result: z.unknown() });
  } catch (error) {
    const failure = rpcFailure(error);
    if (failure) throw refusedByLeader(failure.rpcCode, failure.rpcMessage, error);
    if (error instanceof ClientError && mayHaveArrived(error)) throw unknownOutcome(leader, method, error);
    throw notAsked(leader, method, (error as Error).message);
  } finally {
    await client.close();
  }
}

/** The call may have arrived there although the connection broke. */
function mayHaveArrived({ failure }: ClientError): boolean {
  return failure.code === 'timeout' || (failure.code === 'unreachable' && failure.refused !== true);
}

async function urlOf({ own, askStatus }: RpcOfMembers, leader: string): Promise<string> {
  const known = own();
  const { rpcPort } = await statusOfMember(known, askStatus, leader, STATUS_TIMEOUT_MS);
  const { addr } = known.membership.servers.find(({ id }) => id === leader)!;
  const url = rpcPort === null ? undefined : rpcUrlOf(addr, rpcPort);
  if (url === undefined) throw new Error('its RPC port is not known');
  return url;
}
