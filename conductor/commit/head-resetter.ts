import type { Logger } from 'pino';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ChainState } from '../chain/chain-state.js';
import { encodeCommand } from '../chain/log-command.js';
import type { ResetRequest } from '../chain/reset.js';
import { ensureDone } from './ensure-done.js';
import type { Log } from './payload-committer.js';
import type { Turns } from './turns.js';

interface ResetterOptions {
  log: Log;
  chain: ChainState;
  /**
   * Those of the committer. Otherwise a block that was judged before a reset and proposed after it would be above a
   * gap, and the blocks that the reset took back would be below it.
   */
  turns: Turns;
  logger: Logger;
}

/** Takes the committed head of the whole cluster back to one of its ancestors, on evidence. Leader only. */
export class HeadResetter {
  constructor(private readonly options: ResetterOptions) {}

  /** @throws RpcError */
  reset(request: ResetRequest): Promise<void> {
    return this.options.turns.take(() => this.propose(request));
  }

  private async propose(reset: ResetRequest): Promise<void> {
    const { log, chain, logger } = this.options;
    // A new leader knows the committed chain only after the first commit of its term.
    if (!log.isReadyLeader) ensureDone(await log.readBarrier());
    requireAncestor(reset, chain);
    logger.warn(reset, 'proposing a reset of the committed head');
    const { result } = ensureDone(await log.propose(encodeCommand({ reset })));
    if (result.type === 'refused') throw new RpcError(result.reason, { reason: 'head-changed' });
  }
}

/** Below the retained history only the proposer can know. */
function requireAncestor({ from, to }: ResetRequest, chain: ChainState): void {
  const { head } = chain;
  if (head?.hash !== from.hash) {
    const found = head ? `${head.number} (${head.hash})` : 'none';
    throw new RpcError(`the committed head is ${found}, not ${from.number} (${from.hash})`, {
      reason: 'head-changed',
    });
  }
  const committed = chain.hashAt(to.number);
  if (to.number < head.number && (committed === undefined || committed === to.hash)) return;
  const found =
    to.number >= head.number
      ? `the head is ${head.number}`
      : `the committed block ${to.number} is ${committed}`;
  throw new RpcError(`block ${to.number} (${to.hash}) is not an ancestor of the committed head: ${found}`, {
    reason: 'not-an-ancestor',
  });
}
