import type { Logger } from 'pino';
import type { Outcome } from '../../raft/index.js';
import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import type { BlockId } from '../../rpc/payload/block-ref.js';
import type { ResetRequest } from '../chain/reset.js';
import { LEFT_ALONE_MS, type BranchWatch } from './branch-watch.js';
import { decideEmptyLog } from './empty-log.js';
import { localHead, type ChainClient } from './local-head.js';
import type { L1Watch } from './l1-watch.js';
import { resetEvidence, type Evidence } from './reset-evidence.js';
import { StartElsewhereError, StartHeldError } from './start-held.js';
import type { VoterReport } from './voter-report.js';

/** A crash does not make a client lose the same blocks this often; an op-node that does not accept them does. */
const TIMES_ENOUGH = 3;

export interface StartGateOptions {
  nodeId: string;
  opNode: Pick<OpNodeClient, 'conductorEnabled' | 'syncStatus'>;
  execution: ChainClient;
  localNode: {
    readonly branch: Pick<BranchWatch, 'leftAt' | 'leftSinceMs' | 'leftTimes' | 'otherBranch'>;
    readonly l1: Pick<L1Watch, 'note' | 'replacedAround'>;
    readonly notAsking: string | undefined;
    noteConductorEnabled(enabled: boolean): void;
  };
  history: { readonly head: BlockId | undefined; hashAt(number: number): string | undefined };
  readBarrier: () => Promise<Outcome<object>>;
  /** All voters, with the reports of those that answer within a second. */
  askVoters: () => Promise<readonly VoterReport[]>;
  /** Takes the committed head back. */
  resetHead: (request: ResetRequest) => Promise<void>;
  logger: Logger;
}

/** Conditions for a start of the sequencer. */
export class StartGate {
  constructor(private readonly options: StartGateOptions) {}

  /** @throws StartHeldError, StartElsewhereError, ClientError, and the errors of `resetHead` */
  async pass(call: CallOptions): Promise<void> {
    await this.requireConductor(call);
    const { history, localNode } = this.options;
    if (history.head && localNode.branch.leftAt === null) return;
    // All that is committed must be known first.
    const barrier = await this.options.readBarrier();
    if (barrier.outcome !== 'done') throw new Error(`leadership lost before the start: ${barrier.reason}`);
    call.signal?.throwIfAborted();
    if (!history.head) await this.requireHighestHead(call);
    else if (localNode.branch.leftAt !== null) await this.resetIfClientsLeft(history.head, call);
  }

  /** It may have been restarted with other flags. */
  private async requireConductor(call: CallOptions): Promise<void> {
    const { opNode, localNode } = this.options;
    const enabled = await opNode.conductorEnabled(call);
    localNode.noteConductorEnabled(enabled);
    const { notAsking } = localNode;
    if (notAsking !== undefined) throw new StartHeldError('conductor-disabled', notAsking);
  }

  private async requireHighestHead(call: CallOptions): Promise<void> {
    const { nodeId: own, askVoters } = this.options;
    const voters = await askVoters();
    const head = await localHead(this.options, call);
    const decision = decideEmptyLog({ own, head, voters });
    if (decision.type === 'hand-over') throw new StartElsewhereError(decision.to, decision.reason);
    if (decision.type === 'wait') throw new StartHeldError(decision.code, decision.reason);
  }

  /** Without evidence the node is brought back to the committed head, like any other that is not there. */
  private async resetIfClientsLeft(head: BlockId, call: CallOptions): Promise<void> {
    const { nodeId: own, askVoters, resetHead, history, logger } = this.options;
    const [voters, reasons] = await Promise.all([askVoters(), this.reasonsToLeave(call)]);
    call.signal?.throwIfAborted();
    const hashAt = (number: number): string | undefined => history.hashAt(number);
    const found = resetEvidence({ own, voters, head, hashAt, ...reasons });
    switch (found.type) {
      case 'none':
        logger.warn({ reason: found.reason }, 'the local client has left the committed chain');
        return;
      case 'wait':
        throw new StartHeldError('clients-leaving', found.reason);
      case 'elsewhere':
        throw new StartElsewhereError(found.to, found.reason);
      case 'reset':
        logger.warn(found.request, 'the clients have left the committed chain: resetting its head');
        await resetHead(found.request);
    }
  }

  /** L1 is asked now: the client may have left before the last poll saw why. */
  private async reasonsToLeave(
    call: CallOptions,
  ): Promise<Pick<Evidence, 'hasReason' | 'isElsewhere' | 'othersMayFollow'>> {
    const { opNode, localNode } = this.options;
    const { l1Blocks } = await opNode.syncStatus(call);
    const nowMs = performance.now();
    localNode.l1.note(l1Blocks, nowMs);
    const { leftSinceMs = -Infinity, leftTimes } = localNode.branch;
    const l1Replaced = localNode.l1.replacedAround(leftSinceMs);
    return {
      isElsewhere: localNode.branch.otherBranch !== undefined,
      hasReason: l1Replaced || leftTimes >= TIMES_ENOUGH,
      othersMayFollow: l1Replaced && nowMs - leftSinceMs < LEFT_ALONE_MS,
    };
  }
}
