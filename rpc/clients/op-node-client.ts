import { z } from 'zod';
import type { BlockId } from '../payload/block-ref.js';
import { rpcFailure } from './client-error.js';
import { JsonRpcClient, type CallOptions, type JsonRpcClientOptions } from './json-rpc-client.js';
import { StartRefusedError, isAlreadyRunning, isNotRunning, startRefusal } from './start-refusal.js';
import { decimal, hash } from './wire-shapes.js';

const METHOD_NOT_FOUND = -32601;

/** For calls whose only answer is success; the result is ignored. */
const anyResult = z.unknown();

export interface HeadInfo {
  number: number;
  /** Seconds since the epoch. */
  timestamp: number;
}

/** A block of L1 as op-node sees it. */
export interface L1Block extends BlockId {
  parentHash: string;
}

/** op-node's view of the rollup chain. Before its first engine update all numbers are zero. */
export interface SyncStatus {
  /** The hash is undefined if it does not say. */
  unsafeL2: HeadInfo & { hash?: string | undefined };
  safeL2: HeadInfo;
  /** The newest block of L1, and the one that it currently derives from; empty if it does not say. */
  l1Blocks: readonly L1Block[];
}

export interface PeerStats {
  /** Connected peers of the consensus layer. */
  connected: number;
}

const headInfo: z.ZodType<HeadInfo> = z.object({ number: decimal, timestamp: decimal });

const l1Block: z.ZodType<L1Block> = z.object({ number: decimal, hash, parentHash: hash });

/** Only fields that checks use are required: a node is not sick for lack of others. */
const syncStatus = z
  .object({
    unsafe_l2: z.object({ number: decimal, timestamp: decimal, hash: hash.optional().catch(undefined) }),
    safe_l2: headInfo.nullish(),
    head_l1: l1Block.optional().catch(undefined),
    current_l1: l1Block.optional().catch(undefined),
  })
  .transform(({ unsafe_l2, safe_l2, head_l1, current_l1 }) => ({
    unsafeL2: unsafe_l2,
    // As op-conductor reads it: too old for any limit.
    safeL2: safe_l2 ?? { number: 0, timestamp: 0 },
    l1Blocks: [head_l1, current_l1].filter((block) => block !== undefined),
  }));

const peerStats: z.ZodType<PeerStats> = z.object({ connected: decimal });

/** The part of its configuration that is needed. */
const rollupConfig = z.object({ l2_chain_id: decimal });

/** The calls a conductor makes to its op-node (docs/reference/op-conductor.md §8.1). All reject with a `ClientError` on failure. */
export class OpNodeClient {
  readonly #rpc: JsonRpcClient;

  constructor(options: JsonRpcClientOptions) {
    this.#rpc = new JsonRpcClient(options);
  }

  /** Whether op-node's sequencer runs. */
  async sequencerActive(options?: CallOptions): Promise<boolean> {
    return this.#rpc.call(
      { method: 'admin_sequencerActive', result: z.boolean(), idempotent: true },
      options,
    );
  }

  /** Whether op-node asks a conductor before it publishes. Versions without the method count as enabled, as in op-conductor. */
  async conductorEnabled(options?: CallOptions): Promise<boolean> {
    try {
      return await this.#rpc.call(
        { method: 'admin_conductorEnabled', result: z.boolean(), idempotent: true },
        options,
      );
    } catch (error) {
      const failure = rpcFailure(error);
      if (failure?.rpcCode === METHOD_NOT_FOUND || failure?.rpcMessage.includes('method not found'))
        return true;
      throw error;
    }
  }

  /**
   * Starts the sequencer on top of the block `head`. op-node calls `conductor_leader` back before it answers.
   * Rejects with a `StartRefusedError` when op-node says no for one of the known reasons.
   */
  async startSequencer(head: string, options?: CallOptions): Promise<{ alreadyRunning: boolean }> {
    try {
      await this.#rpc.call({ method: 'admin_startSequencer', params: [head], result: anyResult }, options);
      return { alreadyRunning: false };
    } catch (error) {
      if (isAlreadyRunning(error)) return { alreadyRunning: true };
      const refusal = startRefusal(error);
      if (refusal) throw new StartRefusedError(refusal, error as Error);
      throw error;
    }
  }

  /**
   * Makes op-node's event loop turn once. A start alone does not: its first block would wait for the next event, up to
   * two block times. Of all calls to op-node, only the output of a block that is not final passes through that loop.
   *
   * @param number of a block that op-node has and that is not final, preferably its unsafe head
   */
  async wakeUp(number: number, options?: CallOptions): Promise<void> {
    const params = [`0x${number.toString(16)}`];
    await this.#rpc.call({ method: 'optimism_outputAtBlock', params, result: anyResult }, options);
  }

  /**
   * Stops the sequencer. `head` is op-node's head after the stop, null if it was not running. While this conductor
   * leads, op-node answers only when its last sealed block has become the head, and calls `conductor_leader` back.
   */
  async stopSequencer(options?: CallOptions): Promise<{ head: string | null; wasRunning: boolean }> {
    try {
      const head = await this.#rpc.call({ method: 'admin_stopSequencer', result: hash }, options);
      return { head, wasRunning: true };
    } catch (error) {
      if (isNotRunning(error)) return { head: null, wasRunning: false };
      throw error;
    }
  }

  /**
   * Gives op-node a block. The import happens after the answer, and may not happen at all (issue #12448): watch the
   * head.
   *
   * @param envelopeText JSON text of the envelope, put into the request unchanged, as it may have megabytes
   */
  async postUnsafePayload(envelopeText: string, options?: CallOptions): Promise<void> {
    await this.#rpc.call(
      { method: 'admin_postUnsafePayload', paramsText: `[${envelopeText}]`, result: anyResult },
      options,
    );
  }

  /**
   * Makes op-node look for its heads again, at the execution client's. It drops payloads at or below the head that it
   * believes it has, even when the client has lost that head.
   */
  async resetPipeline(options?: CallOptions): Promise<void> {
    await this.#rpc.call({ method: 'admin_resetDerivationPipeline', result: anyResult }, options);
  }

  /** Id of its configured chain. */
  async chainId(options?: CallOptions): Promise<number> {
    const { l2_chain_id } = await this.#rpc.call(
      { method: 'optimism_rollupConfig', result: rollupConfig, idempotent: true },
      options,
    );
    return l2_chain_id;
  }

  async syncStatus(options?: CallOptions): Promise<SyncStatus> {
    return this.#rpc.call({ method: 'optimism_syncStatus', result: syncStatus, idempotent: true }, options);
  }

  /** Its own name for its version. */
  async version(options?: CallOptions): Promise<string> {
    return this.#rpc.call({ method: 'optimism_version', result: z.string(), idempotent: true }, options);
  }

  async peerStats(options?: CallOptions): Promise<PeerStats> {
    return this.#rpc.call({ method: 'opp2p_peerStats', result: peerStats, idempotent: true }, options);
  }

  /** Makes op-node treat itself as leader and commit nothing, until it restarts. */
  async overrideLeader(options?: CallOptions): Promise<void> {
    await this.#rpc.call({ method: 'admin_overrideLeader', result: anyResult }, options);
  }

  /** Calls the listener whenever a connection ends. */
  onDisconnect(listener: () => void): void {
    this.#rpc.onDisconnect(listener);
  }

  async close(): Promise<void> {
    await this.#rpc.close();
  }
}
