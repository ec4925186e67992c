import { concat, keccak256, type Hex } from 'viem';
import { blockHashOf } from './block.js';
import type { ChainStore } from './chain-store.js';
import type { ConductorClient } from './conductor-client.js';
import type { Faults } from './faults.js';
import { handlerCrashed, invalidArgument, NodeRpcError, type RpcMethod } from './json-rpc.js';
import { originOf, type SimulatedL1 } from './l1-info.js';
import type { P2p } from './p2p.js';
import { envelopeSchema, refOf, ZERO_HASH, type BlockRef, type PayloadEnvelope } from './payload.js';
import type { Sequencer } from './sequencer.js';
import type { UnsafeSync } from './unsafe-sync.js';

export const OP_NODE_VERSION = 'v0.0.0-dev';

export interface OpNodeParts {
  chain: ChainStore;
  conductor: ConductorClient;
  sequencer: Sequencer;
  sync: UnsafeSync;
  p2p: Pick<P2p, 'connectedPeers' | 'knownPeers'>;
  faults: Pick<Faults, 'safeLagBlocks'>;
  l1: SimulatedL1;
  conductorEnabled: boolean;
  chainId: number;
  blockTimeMs: number;
  /** False until op-node has learned the head from its execution client. */
  hasPrestate: () => boolean;
}

const NO_BLOCK: BlockRef = { hash: ZERO_HASH, number: 0, parentHash: ZERO_HASH, timestamp: 0 };

/** The JSON-RPC methods of op-node that a conductor, a batcher or an operator calls. */
export function opNodeMethods(parts: OpNodeParts): Record<string, RpcMethod> {
  const { chain, conductor, sequencer, sync, p2p } = parts;
  return {
    admin_startSequencer: { required: 1, call: ([head]) => sequencer.start(hashArgument(head)) },
    admin_stopSequencer: { call: (_params, signal) => sequencer.stop(signal) },
    admin_sequencerActive: { call: () => sequencer.active },
    // Pointers are optional to go-ethereum's server: without a payload the handler runs, on nil.
    admin_postUnsafePayload: { max: 1, call: ([payload]) => sync.receive(verified(payload)) },
    admin_overrideLeader: { call: () => conductor.override() },
    admin_conductorEnabled: { call: () => parts.conductorEnabled },
    admin_resetDerivationPipeline: { call: () => void sequencer.reset() },
    health_status: { call: () => OP_NODE_VERSION },
    optimism_version: { call: () => OP_NODE_VERSION },
    optimism_syncStatus: { call: () => syncStatus(parts) },
    optimism_rollupConfig: { call: () => rollupConfig(chain, parts) },
    optimism_outputAtBlock: { required: 1, call: ([number]) => outputAtBlock(parts, number) },
    opp2p_peerStats: {
      call: () => {
        const connected = p2p.connectedPeers();
        const topics = { blocksTopic: connected, blocksTopicV2: connected, blocksTopicV3: connected };
        // A node knows itself besides its peers.
        const known = p2p.knownPeers() + 1;
        return { connected, table: 0, ...topics, blocksTopicV4: connected, banned: 0, known };
      },
    },
  };
}

function hashArgument(value: unknown): Hex {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{64}$/.test(value)) {
    throw invalidArgument(0, `want a 32-byte hash, got ${JSON.stringify(value)}`);
  }
  return value.toLowerCase() as Hex;
}

function verified(payload: unknown): PayloadEnvelope {
  const envelope = payload as { executionPayload?: unknown } | null | undefined;
  if (envelope === null || envelope === undefined || envelope.executionPayload === undefined)
    throw handlerCrashed();
  const parsed = envelopeSchema.safeParse(payload);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidArgument(0, `${issue?.path.join('.')}: ${issue?.message}`);
  }
  const actual = blockHashOf(parsed.data);
  const { hash } = refOf(parsed.data);
  if (actual !== hash) {
    throw new NodeRpcError(`payload has bad block hash: ${hash}, actual block hash is: ${actual}`);
  }
  return parsed.data;
}

function syncStatus({ chain, l1, faults, hasPrestate }: OpNodeParts) {
  if (!hasPrestate()) return statusOf(NO_BLOCK, NO_BLOCK, l2Ref(NO_BLOCK, []), l2Ref(NO_BLOCK, []));
  const l1Head = l1.block(l1.numberAt(Date.now() / 1000));
  const show = (block: PayloadEnvelope) => l2Ref(refOf(block), block.executionPayload.transactions);
  const safeNumber = refOf(chain.unsafeHead).number - (faults.safeLagBlocks ?? Infinity);
  const safe = chain.byNumber(Math.max(0, safeNumber)) ?? chain.genesis;
  return statusOf(l1Head, l1.block(0), show(chain.unsafeHead), show(safe));
}

/** The only call that passes through op-node's event loop. */
function outputAtBlock(parts: OpNodeParts, number: unknown) {
  const block = parts.chain.byNumber(Number(number));
  parts.sequencer.wakeUp();
  if (!block) throw new NodeRpcError('failed to get L2 block ref with sync status: not found');
  const { stateRoot, withdrawalsRoot, transactions } = block.executionPayload;
  const version = ZERO_HASH;
  const withdrawalStorageRoot = withdrawalsRoot ?? ZERO_HASH;
  const ref = refOf(block);
  return {
    version,
    outputRoot: keccak256(concat([version, stateRoot, withdrawalStorageRoot, ref.hash])),
    blockRef: l2Ref(ref, transactions),
    withdrawalStorageRoot,
    stateRoot,
    syncStatus: syncStatus(parts),
  };
}

/** Nothing is derived from L1 here: the safe and final heads stay at genesis, unless told to follow. */
function statusOf(l1Head: BlockRef, l1Final: BlockRef, unsafe: object, safe: object) {
  return {
    current_l1: l1Head,
    current_l1_finalized: l1Final,
    head_l1: l1Head,
    safe_l1: l1Final,
    finalized_l1: l1Final,
    unsafe_l2: unsafe,
    safe_l2: safe,
    finalized_l2: safe,
    pending_safe_l2: safe,
    cross_unsafe_l2: unsafe,
    local_safe_l2: safe,
  };
}

function l2Ref(ref: BlockRef, transactions: Hex[]) {
  const origin = originOf(transactions) ?? { hash: ZERO_HASH, number: 0, sequenceNumber: 0 };
  const { hash, number, sequenceNumber } = origin;
  return { ...ref, l1origin: { hash, number }, sequenceNumber };
}

function rollupConfig(chain: ChainStore, { l1, chainId, blockTimeMs }: OpNodeParts) {
  const genesis = refOf(chain.genesis);
  const forks = [
    'regolith',
    'canyon',
    'delta',
    'ecotone',
    'fjord',
    'granite',
    'holocene',
    'isthmus',
    'jovian',
  ];
  return {
    genesis: {
      l1: { hash: l1.block(0).hash, number: 0 },
      l2: { hash: genesis.hash, number: 0 },
      l2_time: genesis.timestamp,
      system_config: {
        batcherAddr: '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc',
        overhead: ZERO_HASH,
        scalar: `0x01${'00'.repeat(31)}`,
        gasLimit: Number(chain.genesis.executionPayload.gasLimit),
        eip1559Params: '0x0000000000000000',
        operatorFeeParams: ZERO_HASH,
        minBaseFee: 0,
        daFootprintGasScalar: 0,
      },
    },
    block_time: Math.max(1, blockTimeMs / 1000),
    max_sequencer_drift: 600,
    seq_window_size: 3600,
    channel_timeout: 300,
    l1_chain_id: 1337,
    l2_chain_id: chainId,
    ...Object.fromEntries(forks.map((fork) => [`${fork}_time`, 0])),
    batch_inbox_address: '0xff00000000000000000000000000000000000901',
    deposit_contract_address: '0x00000000000000000000000000000000000de905',
    l1_system_config_address: '0x00000000000000000000000000000000000a5c0f',
    chain_op_config: { eip1559Elasticity: 6, eip1559Denominator: 50, eip1559DenominatorCanyon: 250 },
  };
}
