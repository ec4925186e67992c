import { z } from 'zod';
import type { BlockRef } from '../payload/block-ref.js';
import { JsonRpcClient, type CallOptions, type JsonRpcClientOptions } from './json-rpc-client.js';
import { hash, quantity } from './wire-shapes.js';

const block: z.ZodType<BlockRef> = z.object({
  hash,
  number: quantity,
  parentHash: hash,
  timestamp: quantity,
});

/** The calls a conductor makes to its execution client. All reject with a `ClientError` on failure. */
export class ExecutionClient {
  readonly #rpc: JsonRpcClient;

  constructor(options: JsonRpcClientOptions) {
    this.#rpc = new JsonRpcClient(options);
  }

  /** The head of the execution client: what a sequencer would build on. */
  async latestBlock(options?: CallOptions): Promise<BlockRef> {
    return this.#rpc.call(
      { method: 'eth_getBlockByNumber', params: ['latest', false], result: block, idempotent: true },
      options,
    );
  }

  /** The canonical block of that number, null if there is none yet. */
  async blockByNumber(number: number, options?: CallOptions): Promise<BlockRef | null> {
    return this.#rpc.call(
      {
        method: 'eth_getBlockByNumber',
        params: [`0x${number.toString(16)}`, false],
        result: block.nullable(),
        idempotent: true,
      },
      options,
    );
  }

  /** Id of its configured chain. */
  async chainId(options?: CallOptions): Promise<number> {
    return this.#rpc.call({ method: 'eth_chainId', result: quantity, idempotent: true }, options);
  }

  /** Name and version of the program. */
  async version(options?: CallOptions): Promise<string> {
    return this.#rpc.call({ method: 'web3_clientVersion', result: z.string(), idempotent: true }, options);
  }

  /** Connected peers, by `net_peerCount`. */
  async peerCount(options?: CallOptions): Promise<number> {
    return this.#rpc.call({ method: 'net_peerCount', result: quantity, idempotent: true }, options);
  }

  /** Connected peers, by the length of `admin_peers`. */
  async adminPeerCount(options?: CallOptions): Promise<number> {
    const peers = await this.#rpc.call(
      { method: 'admin_peers', result: z.array(z.unknown()), idempotent: true },
      options,
    );
    return peers.length;
  }

  /** Calls the listener whenever a connection ends. */
  onDisconnect(listener: () => void): void {
    this.#rpc.onDisconnect(listener);
  }

  async close(): Promise<void> {
    await this.#rpc.close();
  }
}
