import type { Logger } from 'pino';
import { ClientError } from '../clients/client-error.js';
import type { JsonRpcClient } from '../clients/json-rpc-client.js';
import { quantityProblem } from '../payload/hex-fields.js';
import type { Method, MethodTable, Param } from './json-rpc/method-table.js';
import { ArgumentError, method } from './json-rpc/method-table.js';
import { boolParam, stringParam } from './json-rpc/params.js';
import { RawJson } from '../clients/raw-json.js';
import { RpcError } from './json-rpc/rpc-error.js';

export interface ProxyOptions {
  /** Each with its own deadline for every call. */
  node: JsonRpcClient;
  execution: JsonRpcClient;
  /** Whether this node leads, in fact or by override. */
  isLeader: () => boolean;
  logger: Logger;
}

type Params = readonly Param<unknown>[];

const BLOCK_TAGS = new Set(['latest', 'safe', 'finalized', 'pending', 'earliest']);

/**
 * The calls that are passed on to the local op-node and execution client, so that batchers, proposers and other
 * readers that know all conductors find the one whose node sequences (docs/reference/op-conductor.md §2.4).
 *
 * Answers are passed on byte for byte, errors with code and data. Leadership is tested before the call to the backend,
 * to spare it, and again afterwards: if the node lost leadership meanwhile, its answer may not be the cluster's truth.
 */
export function proxyMethods({ node, execution, isLeader, logger }: ProxyOptions): MethodTable {
  const forward = async (
    backend: JsonRpcClient,
    name: string,
    params: readonly unknown[],
  ): Promise<RawJson> => {
    try {
      return new RawJson(await backend.callForText({ method: name, params, idempotent: true }));
    } catch (error) {
      throw asRpcError(error);
    }
  };
  const whileLeading = (backend: JsonRpcClient, name: string, params: Params = []): [string, Method] => [
    name,
    method(params, async (...args) => {
      requireLeader(isLeader);
      const result = await forward(backend, name, args);
      requireLeader(isLeader);
      return result;
    }),
  ];
  const always = (backend: JsonRpcClient, name: string, params: Params): [string, Method] => [
    name,
    {
      ...method(params, async (...args) => {
        try {
          return await forward(backend, name, args);
        } catch (error) {
          logger.warn({ method: name, reason: (error as Error).message }, 'proxied call failed');
          throw error;
        }
      }),
      changes: 'routine',
    },
  ];
  return new Map([
    whileLeading(execution, 'eth_getBlockByNumber', [blockNumberParam, boolParam]),
    whileLeading(execution, 'eth_chainId'),
    whileLeading(node, 'optimism_syncStatus'),
    whileLeading(node, 'optimism_outputAtBlock', [hexNumberParam]),
    whileLeading(node, 'optimism_rollupConfig'),
    whileLeading(node, 'optimism_version'),
    whileLeading(node, 'optimism_safeHeadAtL1Block', [hexNumberParam]),
    whileLeading(node, 'admin_sequencerActive'),
    // Batchers throttle every sequencer, and shut down on an error that is not the execution client's own.
    always(execution, 'miner_setMaxDASize', [hexBigParam, hexBigParam]),
  ]);
}

function requireLeader(isLeader: () => boolean): void {
  if (isLeader()) return;
  throw new RpcError('refusing to proxy request to non-leader sequencer', { reason: 'not-leader' });
}

function asRpcError(error: unknown): unknown {
  if (!(error instanceof ClientError)) return error;
  const { failure } = error;
  if (failure.code !== 'rpc-error')
    return new RpcError(error.message, { reason: 'backend-failed', cause: error });
  const { rpcCode, rpcMessage, data } = failure;
  return new RpcError(rpcMessage, { reason: 'backend-error', code: rpcCode, data, cause: error });
}

/** go-ethereum's `rpc.BlockNumber`: a tag or a quantity. */
const blockNumberParam: Param<string> = {
  decode: (value) => {
    // Go looks at the text of the JSON value without its quotes.
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (BLOCK_TAGS.has(text)) return text;
    const problem = quantityProblem(text, 64);
    if (problem !== undefined) throw new ArgumentError(problem);
    if (BigInt(text) >= 2n ** 63n) throw new ArgumentError('block number larger than int64');
    return text;
  },
};

/** A string for Go, which the method itself then reads as a quantity. */
const hexNumberParam: Param<string> = {
  decode: (value) => {
    const text = stringParam.decode(value);
    const problem = quantityProblem(text, 64);
    if (problem === undefined) return text;
    throw new RpcError(`failed to decode block number: ${problem}`, { reason: 'invalid-argument' });
  },
};

/** go-ethereum's `hexutil.Big`. */
const hexBigParam: Param<string> = {
  decode: (value) => {
    const problem = typeof value === 'string' ? quantityProblem(value, 256) : 'non-string';
    if (problem === undefined) return value as string;
    throw new ArgumentError(`json: cannot unmarshal ${problem} into Go value of type *hexutil.Big`);
  },
};
