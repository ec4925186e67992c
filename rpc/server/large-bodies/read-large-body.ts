import { decodeArguments } from '../json-rpc/method-table.js';
import { parseBody, readCall, type Call } from '../json-rpc/parse-body.js';
import { errorResponse, invalidRequest } from '../json-rpc/responses.js';
import { payloadParam } from '../json-rpc/payload-param.js';
import type { UnsafePayload } from '../../payload/unsafe-payload.js';
import { RpcError } from '../json-rpc/rpc-error.js';

/** The only method with large parameters. */
const COMMIT = 'conductor_commitUnsafePayload';

/**
 * The thread's result for a body: the answer to it, or a call. The parameters of a commit are decoded, or refused; for
 * others there is only their number.
 */
export type LargeBody =
  string | (Omit<Call, 'params'> & { found: UnsafePayload | RefusedParams | ParamsCount });

/** An `RpcError`, which would lose its class on the way between threads. */
export interface RefusedParams {
  refused: { message: string; code: number; reason: string };
}

export interface ParamsCount {
  count: number;
}

/** Reads a body that holds one call, as the dispatcher would. */
export function readLargeBody(body: Buffer): LargeBody {
  const parsed = parseBody(body);
  if (typeof parsed === 'string') return parsed;
  if (Array.isArray(parsed.value)) return errorResponse('null', tooLarge('a batch'));
  const read = readCall(parsed.value, parsed.written(0));
  if (typeof read === 'string') return read && `${read}\n`;
  const { params, ...call } = read;
  return { ...call, found: call.method === COMMIT ? decode(params) : count(params ?? []) };
}

/** The error for a large body in a call of another method. */
export function tooLarge(what: string): RpcError {
  return invalidRequest(`invalid request: the body is too large for ${what}`);
}

function decode(params: unknown): UnsafePayload | RefusedParams {
  return orRefused(() => decodeArguments([payloadParam], params)[0] as UnsafePayload);
}

function count(params: unknown): ParamsCount | RefusedParams {
  return Array.isArray(params)
    ? { count: params.length }
    : orRefused(() => decodeArguments([], params) as never);
}

function orRefused<T>(work: () => T): T | RefusedParams {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const { message, code, reason } = error;
    return { refused: { message, code, reason } };
  }
}
