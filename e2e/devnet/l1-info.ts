import { fromRlp, keccak256, stringToBytes, toRlp } from 'viem/utils';
import type { Hex } from 'viem';
import { ZERO_HASH, type BlockRef } from './payload.js';

/** The L1 block an L2 block derives from, and how many L2 blocks before it derive from the same one. */
export interface L1Origin {
  hash: Hex;
  number: number;
  sequenceNumber: number;
}

const DEPOSIT_TYPE = '7e';
const DEPOSITOR = '0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001';
const L1_BLOCK_CONTRACT = '0x4200000000000000000000000000000000000015';
const DEPOSIT_GAS = '0x0f4240';
const JOVIAN_SELECTOR = '3db6be2b';
const BATCHER = '3c44cdddb6a900fa2b585dd299e03d12fa4293bc';

export interface L1Options {
  chainId: number;
  /** Seconds. */
  genesisTime: number;
  /** Seconds between its blocks. */
  l1BlockTime: number;
  /** The reorgs so far, each by the lowest L1 block that it changed. */
  l1Reorgs: readonly number[];
}

/**
 * The L1 as every node of a devnet sees it: a pure function of genesis, time and the reorgs so far. Its block 1 is as
 * old as the L2 genesis block, so that even the first L2 block derives from one that a reorg can change.
 */
export class SimulatedL1 {
  readonly #reorgs: number[];

  constructor(private readonly options: L1Options) {
    this.#reorgs = [...options.l1Reorgs];
  }

  /** From now on every L1 block from this number upwards has another hash; block 0 never changes. */
  reorg(from: number): void {
    this.#reorgs.push(from);
  }

  /** Number of the newest L1 block at a time in seconds. */
  numberAt(timestamp: number): number {
    const { genesisTime, l1BlockTime } = this.options;
    return Math.max(0, Math.floor((timestamp - genesisTime) / l1BlockTime) + 1);
  }

  /** Whether a block is on today's L1 chain. */
  isCanonical({ number, hash }: Pick<L1Origin, 'number' | 'hash'>): boolean {
    return hash === this.#hash(number);
  }

  block(number: number): BlockRef {
    const { genesisTime, l1BlockTime } = this.options;
    return {
      hash: this.#hash(number),
      number,
      parentHash: number === 0 ? ZERO_HASH : this.#hash(number - 1),
      timestamp: genesisTime + (number - 1) * l1BlockTime,
    };
  }

  /** The origin of an L2 block at `timestamp` on a parent with that origin: at most one L1 block further. */
  originAfter(parent: L1Origin, timestamp: number): L1Origin {
    const number = Math.min(Math.max(this.numberAt(timestamp), parent.number), parent.number + 1);
    const sequenceNumber = number === parent.number ? parent.sequenceNumber + 1 : 0;
    return { hash: this.#hash(number), number, sequenceNumber };
  }

  #hash(number: number): Hex {
    const { chainId, genesisTime } = this.options;
    const fork = number === 0 ? 0 : this.#reorgs.filter((from) => from <= number).length;
    return keccak256(stringToBytes(`l1 ${chainId} ${genesisTime} ${fork} ${number}`));
  }
}

/**
 * The deposit that opens every L2 block, laid out as Jovian's. `salt` goes into its source hash, so that no two blocks
 * are the same by accident.
 */
export function l1InfoDeposit(origin: L1Origin, l1Timestamp: number, salt: string): Hex {
  const uint = (value: number, bytes: number) => value.toString(16).padStart(bytes * 2, '0');
  const calldata = [
    JOVIAN_SELECTOR,
    uint(0, 4), // base fee scalar
    uint(0, 4), // blob base fee scalar
    uint(origin.sequenceNumber, 8),
    uint(l1Timestamp, 8),
    uint(origin.number, 8),
    uint(1, 32), // base fee
    uint(1, 32), // blob base fee
    origin.hash.slice(2),
    BATCHER.padStart(64, '0'),
    uint(0, 4), // operator fee scalar
    uint(0, 8), // operator fee constant
    uint(400, 2), // data-availability footprint gas scalar
  ].join('');
  const sourceHash = keccak256(stringToBytes(`${origin.hash} ${origin.sequenceNumber} ${salt}`));
  const fields: Hex[] = [
    sourceHash,
    DEPOSITOR,
    L1_BLOCK_CONTRACT,
    '0x',
    '0x',
    DEPOSIT_GAS,
    '0x',
    `0x${calldata}`,
  ];
  return `0x${DEPOSIT_TYPE}${toRlp(fields).slice(2)}`;
}

/** A deposit's fields as a JSON-RPC client sees them. */
export interface DepositFields {
  sourceHash: Hex;
  from: Hex;
  to: Hex;
  gas: Hex;
  input: Hex;
}

/** The fields of a deposit, or undefined for a transaction of another type. */
export function decodeDeposit(transaction: Hex): DepositFields | undefined {
  if (transaction.slice(2, 4) !== DEPOSIT_TYPE) return undefined;
  const [sourceHash, from, to, , , gas, , input] = fromRlp(`0x${transaction.slice(4)}`, 'hex') as Hex[];
  return {
    sourceHash: sourceHash!,
    from: from!,
    to: to!,
    gas: `0x${BigInt(gas!).toString(16)}`,
    input: input!,
  };
}

/** The origin written into a block's first transaction (Ecotone's layout and later); the genesis block has none. */
export function originOf(transactions: Hex[]): L1Origin | undefined {
  const input = transactions[0] === undefined ? undefined : decodeDeposit(transactions[0])?.input;
  if (input === undefined) return undefined;
  const uint64At = (byte: number) => Number(`0x${input.slice(2 + 2 * byte, 2 + 2 * (byte + 8))}`);
  return { sequenceNumber: uint64At(12), number: uint64At(28), hash: `0x${input.slice(2 + 200, 2 + 264)}` };
}
