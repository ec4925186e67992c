import { z } from 'zod';
import { TransportError, type HttpTransport } from '../../raft/index.js';
import type { LeaderCall } from '../membership/see-through.js';
import { callOverRpc, type RpcOfMembers } from './call-over-rpc.js';
import { notAsked, refusedByLeader, unknownOutcome } from './leader-errors.js';

/** How to reach another member. */
export interface WayToLeader extends RpcOfMembers {
  /** Over the consensus port. @throws TransportError */
  ask: HttpTransport['ask'];
}

/** A new voter may need half a minute to get the log. */
const CALL_TIMEOUT_MS = 60_000;

/** See `answerMember`. None of the calls has a result. */
const answerSchema = z.union([
  z.object({ error: z.object({ code: z.number(), message: z.string() }) }),
  z.object({ result: z.null() }),
]);

/**
 * Has another member carry out a call, over its consensus port, where members authenticate each other. A member of an
 * older release does not know such requests and is called over its RPC.
 *
 * @throws RpcError with that member's answer; `leader-not-asked`, or `unknown-outcome` if it may have been asked
 */
export async function callLeader(
  way: WayToLeader,
  leader: string,
  call: LeaderCall,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<void> {
  const { method, params, by } = call;
  let answer: unknown;
  try {
    answer = await way.ask(leader, { method, params, by }, AbortSignal.timeout(Math.ceil(timeoutMs)));
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    if (error.code === 'unknown-request') return callOverRpc(way, leader, call, timeoutMs);
    throw error.hadNoEffect ? notAsked(leader, method, error.message) : unknownOutcome(leader, method, error);
  }
  const { data, error: misread } = answerSchema.safeParse(answer);
  if (!data) throw unknownOutcome(leader, method, misread);
  if ('error' in data) throw refusedByLeader(data.error.code, data.error.message);
}
