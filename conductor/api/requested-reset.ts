import type { BlockId } from '../../rpc/payload/block-ref.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ChainState } from '../chain/chain-state.js';
import type { HeadResetter } from '../commit/head-resetter.js';
import type { LocalChain } from '../commit/gap-check.js';

interface ResetDeps {
  leads: boolean;
  chain: Pick<ChainState, 'head' | 'hashAt'>;
  localChain: LocalChain;
  resetter: Pick<HeadResetter, 'reset'>;
}

const LOCAL_TIMEOUT_MS = 2000;

/**
 * Takes the committed head back to `to` on an operator's order.
 *
 * @param who the operator, and the reason, for the record
 * @param seen hash of the head that the operator saw; the current one if absent
 * @throws RpcError
 */
export async function resetHead(
  { leads, chain, localChain, resetter }: ResetDeps,
  to: BlockId,
  who: string,
  seen: string | undefined,
): Promise<void> {
  if (!leads) throw new RpcError('node is not the leader', { reason: 'not-leader' });
  const { head } = chain;
  if (!head) throw new RpcError('nothing is committed yet', { reason: 'head-changed' });
  if (chain.hashAt(to.number) === undefined && to.number < head.number) await requireKnown(localChain, to);
  await resetter.reset({
    from: { number: head.number, hash: seen ?? head.hash },
    to,
    evidence: 'operator',
    who,
  });
}

/** A head that no client has would end the chain, and a hash is easily mistyped. */
async function requireKnown(localChain: LocalChain, { number, hash }: BlockId): Promise<void> {
  const found = await localChain.blockByNumber(number, { timeoutMs: LOCAL_TIMEOUT_MS }).then(
    (block) => block?.hash ?? 'none',
    (error: Error) => `unavailable (${error.message})`,
  );
  if (found === hash) return;
  throw new RpcError(
    `block ${number} (${hash}) is older than the retained history, and block ${number} of the leader's execution client is ${found}; ` +
      'give a block that it has, or transfer leadership to a member whose client has this one',
    { reason: 'unknown-block' },
  );
}
