import { keccak256 } from 'viem/utils';
import type { Hex } from 'viem';
import { EMPTY_REQUESTS_HASH, EMPTY_UNCLES_HASH, factsOf, ZERO_NONCE } from './block.js';
import type { ChainStore } from './chain-store.js';
import { EMPTY_TRIE_ROOT } from './ordered-trie.js';
import { invalidArgument, type RpcMethod } from './json-rpc.js';
import { toQuantity, type PayloadEnvelope } from './payload.js';
import { transactionJson } from './transactions.js';

/** The JSON-RPC methods of the execution client over a chain store; `peerCount` counts connected peers. */
export function executionMethods(
  chain: ChainStore,
  chainId: number,
  peerCount: () => number,
): Record<string, RpcMethod> {
  const rendered = new WeakMap<PayloadEnvelope, Record<string, unknown>>();
  const show = (block: PayloadEnvelope | undefined, withTransactions: unknown) => {
    if (block === undefined) return null;
    const known = rendered.get(block) ?? blockJson(block);
    rendered.set(block, known);
    if (withTransactions !== true) return known;
    return {
      ...known,
      transactions: block.executionPayload.transactions.map((_, i) => transactionJson(block, i)),
    };
  };
  return {
    web3_clientVersion: { call: () => 'Geth/v0.0.0-devnet/linux-amd64' },
    eth_blockNumber: { call: () => chain.head.executionPayload.blockNumber },
    eth_chainId: { call: () => toQuantity(chainId) },
    eth_syncing: { call: () => false },
    eth_getBlockByNumber: {
      required: 2,
      call: ([number, full]) => show(blockAt(chain, number), full),
    },
    eth_getBlockByHash: {
      required: 2,
      call: ([hash, full]) => show(chain.byHash(String(hash).toLowerCase() as Hex), full),
    },
    net_peerCount: { call: () => toQuantity(peerCount()) },
    admin_peers: {
      call: () =>
        Array.from({ length: peerCount() }, (_, index) => ({
          id: keccak256(toQuantity(index)).slice(2),
          name: 'devnet',
          caps: ['eth/68'],
        })),
    },
    miner_setMaxDASize: { required: 2, call: () => true },
  };
}

function blockAt(chain: ChainStore, tagOrNumber: unknown): PayloadEnvelope | undefined {
  switch (tagOrNumber) {
    case 'latest':
    case 'pending':
      return chain.head;
    // Nothing is derived from L1 here, so nothing above genesis is ever safe.
    case 'safe':
    case 'finalized':
    case 'earliest':
      return chain.genesis;
  }
  if (typeof tagOrNumber !== 'string' || !/^0x[0-9a-fA-F]+$/.test(tagOrNumber)) {
    throw invalidArgument(0, 'hex string without 0x prefix');
  }
  return chain.byNumber(Number(tagOrNumber));
}

function blockJson(envelope: PayloadEnvelope): Record<string, unknown> {
  const { executionPayload: block, parentBeaconBlockRoot } = envelope;
  const { transactionsRoot, size } = factsOf(envelope);
  return {
    baseFeePerGas: block.baseFeePerGas,
    blobGasUsed: block.blobGasUsed,
    difficulty: '0x0',
    excessBlobGas: block.excessBlobGas,
    extraData: block.extraData,
    gasLimit: block.gasLimit,
    gasUsed: block.gasUsed,
    hash: block.blockHash,
    logsBloom: block.logsBloom,
    miner: block.feeRecipient,
    mixHash: block.prevRandao,
    nonce: ZERO_NONCE,
    number: block.blockNumber,
    parentBeaconBlockRoot,
    parentHash: block.parentHash,
    receiptsRoot: block.receiptsRoot,
    ...(block.withdrawalsRoot === undefined ? {} : { requestsHash: EMPTY_REQUESTS_HASH }),
    sha3Uncles: EMPTY_UNCLES_HASH,
    size: toQuantity(size),
    stateRoot: block.stateRoot,
    timestamp: block.timestamp,
    transactions: block.transactions.map((transaction) => keccak256(transaction)),
    transactionsRoot,
    uncles: [],
    withdrawals: [],
    withdrawalsRoot: block.withdrawalsRoot ?? EMPTY_TRIE_ROOT,
  };
}
