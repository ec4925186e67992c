import { ClientError } from '../../../rpc/clients/client-error.js';
import type { Answering, ClusterView, Member } from '../../verdict/cluster-view.js';
import { memberOf, refused, type Operation } from '../cluster/cluster-command.js';
import { activeOthers } from './start-obstacle.js';

/** @throws CommandError `refused` with the answer of the member, `no-rpc-address` */
export async function ask(
  { cluster, deadline }: Operation,
  member: Member,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  try {
    return await cluster.call(member, method, params, deadline.remainingMs);
  } catch (error) {
    throw error instanceof ClientError ? refused(error) : error;
  }
}

/** Stops every sequencer but that of this member, so that no other one publishes beside it. */
export async function stopOthers(operation: Operation, view: ClusterView, id: string): Promise<void> {
  for (const other of activeOthers(view, id)) {
    // Unless it is paused, its own control loop stops the sequencer as soon as it no longer leads.
    if (!other.status.paused) continue;
    const head = await ask(operation, other, 'conductor_stopSequencer');
    operation.done(`${other.id}: sequencer stopped${typeof head === 'string' ? ` at ${head}` : ''}`);
  }
}

/** Starts the sequencer at the node's head, and waits until it has made a block. */
export async function startAndSee(
  operation: Operation,
  target: Answering,
  withoutConsensus: boolean,
): Promise<number> {
  const { id } = target;
  const head = target.status.node.head!;
  await ask(operation, target, 'conductor_startSequencer', [head.hash, withoutConsensus]);
  operation.done(`${id}: sequencer started on block ${head.number} (${head.hash})`);
  const after = await operation.until((view) => {
    const { status, silence } = memberOf(view, id);
    if (!status) return `${id} does not answer: ${silence}`;
    if (status.node.sequencerActive !== true) return `the sequencer of ${id} is not active`;
    return (status.node.head?.number ?? -1) > head.number
      ? undefined
      : `the sequencer of ${id} is active, but has made no block after ${head.number}`;
  });
  return memberOf(after, id).status!.node.head!.number;
}
