import { ClientError } from '../../../rpc/clients/client-error.js';
import type { Answering, Member } from '../../verdict/cluster-view.js';
import { CommandError } from '../command-error.js';
import { isLasting } from './access-error.js';
import { refused, type Operation } from './cluster-command.js';

/** The requested change. */
export interface PauseOrder {
  paused: boolean;
  /** Null: until it is resumed. */
  forMs: number | null;
  owner: string | undefined;
  reason: string | undefined;
}

const METHOD_NOT_FOUND = -32601;

/** Has the leader record a pause of the whole cluster, or its end. @returns why it failed; undefined if it did not */
export async function whyNoClusterPause(
  operation: Operation,
  leader: Answering | undefined,
  order: PauseOrder,
  noLeader: () => string,
): Promise<string | undefined> {
  if (!leader) return noLeader();
  try {
    await call(operation, leader, order, null);
    return undefined;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (isUnknownMethod(error)) return `${leader.id} runs an older release`;
    const refusal = refused(error);
    // Asking each member separately would fail, too.
    if (isLasting(refusal)) throw refusal;
    return refusal.message;
  }
}

/**
 * Pauses or resumes one member: at the member itself or, if it does not answer, by a record of the leader. A member of
 * an older release keeps no reason.
 *
 * @throws ClientError, CommandError
 */
export async function pauseMember(
  operation: Operation,
  target: Member,
  order: PauseOrder,
  leader: Answering | undefined,
): Promise<void> {
  try {
    await call(operation, target.status || !leader ? target : leader, order, target.id);
  } catch (error) {
    if (!(error instanceof ClientError) || !isUnknownMethod(error) || !target.status) throw error;
    if (order.forMs !== null) {
      throw new CommandError(
        'refused',
        `${target.id} runs an older release, whose pauses do not end by themselves`,
      );
    }
    const { cluster, deadline } = operation;
    const method = order.paused ? 'conductor_pause' : 'conductor_resume';
    await cluster.call(target, method, [], deadline.remainingMs);
  }
}

function call(
  { cluster, deadline }: Operation,
  at: Member,
  { paused, forMs, owner, reason }: PauseOrder,
  member: string | null,
): Promise<unknown> {
  const request = { member, ...(owner && { owner }), ...(reason && { reason }) };
  const method = paused ? 'conductor_beginPause' : 'conductor_endPause';
  return cluster.call(at, method, [paused ? { ...request, forMs } : request], deadline.remainingMs);
}

function isUnknownMethod({ failure }: ClientError): boolean {
  return failure.code === 'rpc-error' && failure.rpcCode === METHOD_NOT_FOUND;
}
