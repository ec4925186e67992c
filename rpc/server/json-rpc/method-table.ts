import type { Caller, CallerIdentity } from './caller.js';
import { RpcCode, RpcError } from './rpc-error.js';

/** One positional parameter: how its JSON value becomes an argument. */
export interface Param<T> {
  /** The decoder also gets null, and `undefined` for an absent parameter (a pointer in op-conductor). */
  optional?: boolean;
  /** Throws `ArgumentError`, which the caller completes with the position, or its own `RpcError`. */
  decode(value: unknown): T;
}

/** A parameter that does not decode. The client reads `invalid argument <position>: <message>`. */
export class ArgumentError extends Error {
  constructor(
    message: string,
    /** Stable name of the cause, see `RpcError.reason`. */
    readonly reason = 'invalid-argument',
  ) {
    super(message);
    this.name = 'ArgumentError';
  }
}

/** A method as the dispatcher sees it. */
export interface Method {
  readonly params: readonly Param<unknown>[];
  /** Gets one argument for each entry of `params`. `undefined` becomes a null result. */
  readonly call: (args: readonly unknown[], caller: Caller) => unknown;
  /** It changes something, so its caller goes on record; `routine`: only if it differs from the previous call. */
  readonly changes?: 'on-request' | 'routine';
}

/** Methods by their full name, `namespace_method`. */
export type MethodTable = ReadonlyMap<string, Method>;

type Arguments<P extends readonly Param<unknown>[]> = {
  [K in keyof P]: P[K] extends Param<infer T> ? T : never;
};

/** Describes a method; the types of the arguments follow from the parameters. */
export function method<const P extends readonly Param<unknown>[]>(
  params: P,
  call: (...args: Arguments<P>) => unknown,
): Method {
  return { params, call: (args) => call(...(args as Arguments<P>)) };
}

/** Describes a method that needs to know whether its caller still waits. */
export function methodForCaller<const P extends readonly Param<unknown>[]>(
  params: P,
  call: (caller: Caller, ...args: Arguments<P>) => unknown,
): Method {
  return { params, call: (args, caller) => call(caller, ...(args as Arguments<P>)) };
}

/** Describes a method that changes something at its caller's request. */
export function change<const P extends readonly Param<unknown>[]>(
  params: P,
  call: (by: CallerIdentity, ...args: Arguments<P>) => unknown,
): Method {
  return {
    ...methodForCaller(params, ({ identity }, ...args: Arguments<P>) => call(identity, ...args)),
    changes: 'on-request',
  };
}

/**
 * Decodes positional parameters, in order, as go-ethereum's server does.
 *
 * @param raw the request's `params` member; absent and null mean none
 * @throws RpcError -32602 with go-ethereum's text
 */
export function decodeArguments(params: readonly Param<unknown>[], raw: unknown): unknown[] {
  const given: unknown = raw ?? [];
  if (!Array.isArray(given)) throw invalidParams('non-array args');
  const args: unknown[] = [];
  for (let index = 0; index < given.length; index++) {
    const param = params[index];
    if (!param) throw tooManyArguments(params);
    args.push(decodeArgument(param, given[index], index));
  }
  for (let index = given.length; index < params.length; index++) {
    args.push(decodeArgument(params[index]!, undefined, index));
  }
  return args;
}

export function tooManyArguments(params: readonly Param<unknown>[]): RpcError {
  return invalidParams(`too many arguments, want at most ${params.length}`);
}

function decodeArgument(param: Param<unknown>, value: unknown, index: number): unknown {
  if ((value === undefined || value === null) && !param.optional) {
    throw invalidParams(`missing value for required argument ${index}`);
  }
  try {
    return param.decode(value);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    throw invalidParams(`invalid argument ${index}: ${error.message}`, error.reason);
  }
}

function invalidParams(message: string, reason = 'invalid-params'): RpcError {
  return new RpcError(message, { code: RpcCode.invalidParams, reason });
}
