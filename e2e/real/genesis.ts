import { keccak256, numberToHex, pad, stringToHex, type Address, type Hex } from 'viem';

const L1_CHAIN_ID = 1337;
export const L2_CHAIN_ID = 901;
const BLOCK_TIME_S = 1;
export const GAS_LIMIT = 60_000_000;

const BATCH_INBOX: Address = '0xff00000000000000000000000000000000000901';
const SYSTEM_CONFIG: Address = '0x00000000000000000000000000000000000a5c0f';
const DEPOSIT_CONTRACT: Address = '0x00000000000000000000000000000000000de905';
const FEE_VAULT: Address = '0x4200000000000000000000000000000000000011';
const MESSAGE_PASSER: Address = '0x4200000000000000000000000000000000000016';
const BEACON_ROOTS: Address = '0x000f3df6d732807ef1319fb7b8bb8522d0beac02';
const ZERO_ADDRESS: Address = pad('0x', { size: 20 });
const ZERO_WORD = pad('0x', { size: 32 });
const STOP: Hex = '0x00';

const EIP1559 = { elasticity: 6, denominator: 50, denominatorCanyon: 250 };
const FORKS = ['regolith', 'canyon', 'delta', 'ecotone', 'fjord', 'granite', 'holocene', 'isthmus', 'jovian'];

/** Addresses that the two chains must know: the signer of gossip, the poster of batches, the owner of money. */
export interface Parties {
  sequencer: Address;
  batcher: Address;
  user: Address;
  background: Address;
}

interface GenesisAccount {
  balance: Hex;
  nonce?: Hex;
  code?: Hex;
  storage?: Record<Hex, Hex>;
}

export interface Genesis {
  config: Record<string, unknown>;
  [field: string]: unknown;
}

/** The first block of a chain. */
export interface ChainStart {
  hash: Hex;
  timestampS: number;
}

/** Genesis of the L1: Prague rules from block 0, and the only contract state that op-node reads from it. */
export function l1Genesis(parties: Parties, timestampS: number): Genesis {
  return {
    config: {
      ...ethereumForks(L1_CHAIN_ID),
      pragueTime: 0,
      arrowGlacierBlock: 0,
      grayGlacierBlock: 0,
      terminalTotalDifficulty: 0,
      blobSchedule: {
        cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3_338_477 },
        prague: { target: 6, max: 9, baseFeeUpdateFraction: 5_007_716 },
      },
    },
    difficulty: '0x0',
    gasLimit: numberToHex(GAS_LIMIT),
    baseFeePerGas: numberToHex(1_000_000_000),
    timestamp: numberToHex(timestampS),
    alloc: {
      ...funded(parties),
      [BEACON_ROOTS]: { balance: '0x0', nonce: '0x1', code: STOP },
      // Without the signer's address in this slot op-nodes ignore all gossip.
      [SYSTEM_CONFIG]: {
        balance: '0x0',
        code: STOP,
        storage: { [keccak256(stringToHex('systemconfig.unsafeblocksigner'))]: pad(parties.sequencer) },
      },
    },
  };
}

/** Genesis of the L2: every fork up to Jovian from block 0, no predeploys but the one that Isthmus needs. */
export function l2Genesis(parties: Parties, timestampS: number): Genesis {
  const timed = FORKS.filter((fork) => fork !== 'delta').map((fork) => [`${fork}Time`, 0]);
  return {
    config: {
      ...ethereumForks(L2_CHAIN_ID),
      pragueTime: 0,
      arrowGlacierBlock: 0,
      grayGlacierBlock: 0,
      mergeNetsplitBlock: 0,
      bedrockBlock: 0,
      terminalTotalDifficulty: 0,
      ...(Object.fromEntries(timed) as Record<string, number>),
      optimism: feeParameters(),
    },
    difficulty: '0x0',
    gasLimit: numberToHex(GAS_LIMIT),
    baseFeePerGas: numberToHex(1_000_000),
    timestamp: numberToHex(timestampS),
    extraData: jovianExtraData(),
    coinbase: FEE_VAULT,
    alloc: {
      ...funded(parties),
      [BEACON_ROOTS]: { balance: '0x0', nonce: '0x1', code: STOP },
      // Isthmus puts this account's storage root into every header, so it must exist and have storage.
      [MESSAGE_PASSER]: { balance: '0x0', code: STOP, storage: { [pad('0x1')]: pad('0x1') } },
    },
  };
}

/** The rollup configuration that op-nodes and conductors read. */
export function rollupConfig(parties: Parties, l1: ChainStart, l2: ChainStart): Record<string, unknown> {
  return {
    genesis: {
      l1: { hash: l1.hash, number: 0 },
      l2: { hash: l2.hash, number: 0 },
      l2_time: l2.timestampS,
      system_config: {
        batcherAddr: parties.batcher,
        overhead: ZERO_WORD,
        scalar: `0x01${'00'.repeat(31)}`,
        gasLimit: GAS_LIMIT,
        eip1559Params: pad('0x', { size: 8 }),
        operatorFeeParams: ZERO_WORD,
        minBaseFee: 0,
        daFootprintGasScalar: 0,
      },
    },
    block_time: BLOCK_TIME_S,
    max_sequencer_drift: 600,
    seq_window_size: 3_600,
    channel_timeout: 300,
    l1_chain_id: L1_CHAIN_ID,
    l2_chain_id: L2_CHAIN_ID,
    ...(Object.fromEntries(FORKS.map((fork) => [`${fork}_time`, 0])) as Record<string, number>),
    batch_inbox_address: BATCH_INBOX,
    deposit_contract_address: DEPOSIT_CONTRACT,
    l1_system_config_address: SYSTEM_CONFIG,
    protocol_versions_address: ZERO_ADDRESS,
    chain_op_config: feeParameters(),
  };
}

function ethereumForks(chainId: number): Record<string, number> {
  const blocks = ['homestead', 'eip150', 'eip155', 'eip158', 'byzantium', 'constantinople', 'petersburg'];
  blocks.push('istanbul', 'muirGlacier', 'berlin', 'london');
  const numbered = Object.fromEntries(blocks.map((fork) => [`${fork}Block`, 0])) as Record<string, number>;
  return { chainId, ...numbered, shanghaiTime: 0, cancunTime: 0 };
}

function feeParameters(): Record<string, number> {
  return {
    eip1559Elasticity: EIP1559.elasticity,
    eip1559Denominator: EIP1559.denominator,
    eip1559DenominatorCanyon: EIP1559.denominatorCanyon,
  };
}

/** Version 1: denominator (4 bytes), elasticity (4 bytes), minimum base fee (8 bytes). */
function jovianExtraData(): Hex {
  const data = Buffer.alloc(17);
  data.writeUInt8(1, 0);
  data.writeUInt32BE(EIP1559.denominatorCanyon, 1);
  data.writeUInt32BE(EIP1559.elasticity, 5);
  return `0x${data.toString('hex')}`;
}

function funded(parties: Parties): Record<Address, GenesisAccount> {
  const balance = numberToHex(10n ** 24n);
  return Object.fromEntries(Object.values(parties).map((address: Address) => [address, { balance }]));
}
