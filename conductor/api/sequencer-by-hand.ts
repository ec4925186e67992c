import type { Logger } from 'pino';
import { ClientError, rpcFailure } from '../../rpc/clients/client-error.js';
import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import { StartRefusedError } from '../../rpc/clients/start-refusal.js';
import type { SequencerByHandApi } from '../../rpc/server/sequencer-methods.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { LocalNode } from '../control/local-node.js';
import type { NodeOverride } from '../control/node-override.js';
import type { Switches } from '../control/switches.js';

interface SequencerByHandOptions {
  opNode: Pick<OpNodeClient, 'startSequencer' | 'stopSequencer'>;
  localNode: Pick<LocalNode, 'isAbsent' | 'noteSequencer' | 'notAsking'>;
  nodeOverride: Pick<NodeOverride, 'begin'>;
  switches: Pick<Switches, 'paused' | 'leaderOverridden'>;
  /** Operators have decided that no sequencer runs anywhere. */
  isHalted: () => boolean;
  /** Whether this node leads, and knows the whole log. */
  leads: () => boolean;
  logger: Logger;
}

/** op-node first finishes its block, or asks this conductor whether it leads. */
const CALL_TIMEOUT_MS = 5000;

/**
 * Starts and stops the sequencer of the local op-node on an operator's order, while the control loop is paused. Calls
 * pass through this conductor because it knows op-node's address, and remembers what must not be forgotten.
 */
export class SequencerByHand implements SequencerByHandApi {
  constructor(private readonly options: SequencerByHandOptions) {}

  /** @throws RpcError; StorageError */
  async start(head: string, withoutConsensus: boolean): Promise<void> {
    const { localNode, nodeOverride, switches, isHalted, leads, opNode, logger } = this.options;
    this.requireControl();
    if (withoutConsensus) {
      if (!switches.leaderOverridden) {
        throw new RpcError(
          'this conductor does not call itself leader: set conductor_overrideLeader first, so that status shows the emergency',
          { reason: 'not-overridden' },
        );
      }
      await nodeOverride.begin(Date.now()).catch(asRpcError);
    } else {
      if (isHalted()) {
        throw new RpcError('the cluster is halted: end that first', { reason: 'halted' });
      }
      if (!leads()) throw new RpcError('node is not the leader', { reason: 'not-leader' });
      const { notAsking } = localNode;
      if (notAsking !== undefined) throw new RpcError(notAsking, { reason: 'conductor-disabled' });
    }
    const { alreadyRunning } = await opNode
      .startSequencer(head, { timeoutMs: CALL_TIMEOUT_MS })
      .catch(asRpcError);
    localNode.noteSequencer(true);
    logger.warn({ hash: head, withoutConsensus, alreadyRunning }, 'sequencer started by hand');
  }

  /** @throws RpcError */
  async stop(): Promise<string | null> {
    const { localNode, opNode, logger } = this.options;
    this.requireControl();
    const { head, wasRunning } = await opNode.stopSequencer({ timeoutMs: CALL_TIMEOUT_MS }).catch(asRpcError);
    localNode.noteSequencer(false);
    if (wasRunning) logger.warn({ hash: head }, 'sequencer stopped by hand');
    return head;
  }

  private requireControl(): void {
    const { localNode, switches } = this.options;
    if (localNode.isAbsent) {
      throw new RpcError('this member is a witness and has no sequencer', { reason: 'witness' });
    }
    if (switches.paused) return;
    throw new RpcError(
      'the control loop is not paused and would undo it: pause this conductor first, or let it decide',
      { reason: 'not-paused' },
    );
  }
}

/** @throws RpcError for op-node's answer or its absence; the error itself otherwise */
function asRpcError(error: unknown): never {
  if (error instanceof StartRefusedError || rpcFailure(error) !== null) {
    throw new RpcError(`op-node answers: ${textOf(error)}`, { reason: 'backend-error', cause: error });
  }
  if (error instanceof ClientError) {
    throw new RpcError(error.message, { reason: 'backend-failed', cause: error });
  }
  throw error;
}

function textOf(error: unknown): string {
  const cause = error instanceof StartRefusedError ? error.cause : error;
  return rpcFailure(cause)?.rpcMessage ?? (error as Error).message;
}
