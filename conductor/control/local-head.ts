import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import type { BlockId, BlockRef } from '../../rpc/payload/block-ref.js';

/** Queries to the execution client about its chain. */
export interface ChainClient {
  latestBlock(options: CallOptions): Promise<BlockRef>;
  blockByNumber(number: number, options: CallOptions): Promise<BlockRef | null>;
}

/** op-node's own idea of its unsafe head; the hash is undefined if it does not say. */
export type UnsafeHead = Pick<BlockId, 'number'> & { hash?: string | undefined };

/**
 * The head that the local sequencer would build on: the execution client's, or op-node's if that is an ancestor of it.
 * When op-node walks back it tells the client, but op-geth stays where it is: an ancestor of its own head moves
 * nothing. The client is then ahead of the block that op-node accepts and builds on.
 */
export async function localHead(
  { opNode, execution }: { opNode: Pick<OpNodeClient, 'syncStatus'>; execution: ChainClient },
  call: CallOptions,
): Promise<BlockRef> {
  const [latest, { unsafeL2 }] = await Promise.all([execution.latestBlock(call), opNode.syncStatus(call)]);
  return lowerHead(latest, unsafeL2, execution, call);
}

/** The lower of the client's head and op-node's, as in `localHead`. */
export async function lowerHead(
  latest: BlockRef,
  { number, hash }: UnsafeHead,
  execution: Pick<ChainClient, 'blockByNumber'>,
  call: CallOptions,
): Promise<BlockRef> {
  if (hash === undefined || number >= latest.number) return latest;
  const own = await execution.blockByNumber(number, call);
  return own?.hash === hash ? own : latest;
}
