import { ClientError, rpcFailure } from '../../rpc/clients/client-error.js';
import { JsonRpcClient } from '../../rpc/clients/json-rpc-client.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { z } from 'zod';
import { rpcUrlOf } from '../config/host-port.js';
import type { LeaderCall } from '../membership/see-through.js';
import { statusOfMember, type AskStatus } from '../api/cluster-status.js';

const STATUS_TIMEOUT_MS = 2000;
/** A new voter may take half a minute to get the log. */
const CALL_TIMEOUT_MS = 60_000;

/**
 * Has a call carried out by another member, over its RPC: the host of its consensus address and the port that it names.
 *
 * @throws RpcError with the answer of that member, or that it could not be asked
 */
export async function callLeader(
  own: ConductorStatus,
  askStatus: AskStatus,
  leader: string,
  { method, params }: LeaderCall,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<void> {
  const url = await urlOf(own, askStatus, leader).catch((error: Error) => {
    throw notAsked(leader, method, error.message);
  });
  const client = new JsonRpcClient({ url, timeoutMs });
  try {
    await client.call({ method, params, result: z.unknown() });
  } catch (error) {
    const failure = rpcFailure(error);
    if (failure) {
      throw new RpcError(failure.rpcMessage, {
        reason: 'refused-by-leader',
        code: failure.rpcCode,
        cause: error,
      });
    }
    const isUnknown = error instanceof ClientError && error.code === 'timeout';
    if (isUnknown) {
      throw new RpcError(
        `leadership moved to ${leader}, which did not answer ${method} in time: it is not known whether the change was made; check the membership`,
        { reason: 'unknown-outcome', cause: error },
      );
    }
    throw notAsked(leader, method, (error as Error).message);
  } finally {
    await client.close();
  }
}

async function urlOf(own: ConductorStatus, askStatus: AskStatus, leader: string): Promise<string> {
  const { rpcPort } = await statusOfMember(own, askStatus, leader, STATUS_TIMEOUT_MS);
  const { addr } = own.membership.servers.find(({ id }) => id === leader)!;
  const url = rpcPort === null ? undefined : rpcUrlOf(addr, rpcPort);
  if (url === undefined) throw new Error('its RPC port is not known');
  return url;
}

function notAsked(leader: string, method: string, why: string): RpcError {
  return new RpcError(
    `leadership moved to ${leader} before the change was complete, and it could not be asked to continue (${why}): repeat ${method} there`,
    { reason: 'leader-not-asked' },
  );
}
