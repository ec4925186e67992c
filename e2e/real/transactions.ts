import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseGwei, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { L2_CHAIN_ID } from './genesis.js';
import { call } from './json-rpc.js';
import type { SequencerNode } from './node.js';
import { roles } from './roles.js';

const BACKGROUND_PERIOD_MS = 600;
/** Gas of a transaction without calldata, with a margin. */
const PLAIN_GAS = 150_000;
/** Gas per byte of calldata: no chain demands more. */
const GAS_PER_BYTE = 40;

/** Transactions per batch. */
export interface Load {
  count: number;
  calldataBytes: number;
}

/**
 * Sends `count` transactions with random calldata of `calldataBytes` to the node's execution client and returns their
 * hashes. They must go to the active sequencer: these execution clients do not gossip transactions.
 */
export async function sendTransactions(
  node: SequencerNode,
  key: Hex,
  count: number,
  calldataBytes: number,
): Promise<Hex[]> {
  const account = privateKeyToAccount(key);
  const firstNonce = Number(
    await call<Hex>(node.executionUrl, 'eth_getTransactionCount', [account.address, 'pending']),
  );
  const hashes: Hex[] = [];
  for (let nonce = firstNonce; nonce < firstNonce + count; nonce++) {
    const signed = await account.signTransaction({
      chainId: L2_CHAIN_ID,
      nonce,
      to: randomAddress(),
      value: 1n,
      data: `0x${randomBytes(calldataBytes).toString('hex')}`,
      gas: BigInt(PLAIN_GAS + GAS_PER_BYTE * calldataBytes),
      maxFeePerGas: parseGwei('2'),
      maxPriorityFeePerGas: parseGwei('1'),
    });
    hashes.push(await call<Hex>(node.executionUrl, 'eth_sendRawTransaction', [signed]));
  }
  return hashes;
}

/** Hash of the block that has the transaction on this node; `undefined` while none has. */
export async function blockOfTransaction(node: SequencerNode, transaction: Hex): Promise<Hex | undefined> {
  const receipt = await call<{ blockHash: Hex } | null>(node.executionUrl, 'eth_getTransactionReceipt', [
    transaction,
  ]);
  return receipt?.blockHash;
}

/**
 * Keeps sending transactions to the sequencing node. Empty blocks of two sequencers at one height can be equal. With
 * transactions, which only one pool has, a fork cannot hide. They are few and small:
 * geth writes its log in blocks of 32 kB, so the less a chain holds, the more blocks a killed geth forgets.
 */
export class BackgroundTransactions {
  private stopped = false;
  private readonly loop: Promise<void>;

  constructor(
    private readonly nodes: readonly SequencerNode[],
    private readonly key: Hex,
    private readonly load: Load = { count: 1, calldataBytes: 0 },
  ) {
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.loop;
  }

  private async run(): Promise<void> {
    const { nodes, key, load } = this;
    while (!this.stopped) {
      const { active } = await roles(nodes);
      // Failures are expected, because nodes die in this test. Transactions sent to a dead node may be lost.
      for (const node of active)
        await sendTransactions(node, key, load.count, load.calldataBytes).catch(() => undefined);
      await sleep(BACKGROUND_PERIOD_MS);
    }
  }
}

function randomAddress(): Address {
  return `0x${randomBytes(20).toString('hex')}`;
}
