import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';

/** The leader's answer, passed on. */
export function refusedByLeader(code: number, message: string, cause?: unknown): RpcError {
  return new RpcError(message, { reason: 'refused-by-leader', code, cause });
}

/** The call was not carried out. */
export function notAsked(leader: string, method: string, why: string): RpcError {
  return new RpcError(
    `leadership moved to ${leader} before the change was complete, and it could not be asked to continue (${why}): repeat ${method} there`,
    { reason: 'leader-not-asked' },
  );
}

/** The call was sent, but no answer came. */
export function unknownOutcome(leader: string, method: string, cause: unknown): RpcError {
  return new RpcError(
    `leadership moved to ${leader}, which did not answer ${method} in time: it is not known whether the change was made; check the membership`,
    { reason: 'unknown-outcome', cause },
  );
}
