import type { TlsProblem } from '../../common/tls-failure.js';

/**
 * Why a call to another program failed.
 *
 * - `timeout`: no complete answer within the deadline; the call may or may not have had its effect.
 * - `unreachable`: no connection, or one that broke before an answer came. `refused`: the host says that nothing
 *   listens there. `tls`: why no TLS connection was made.
 * - `http-status`: an HTTP status other than 2xx.
 * - `bad-answer`: an answer that is not JSON-RPC, or a result of an unexpected shape.
 * - `rpc-error`: a JSON-RPC error object.
 * - `aborted`: the caller's signal fired.
 */
export type ClientFailure =
  | { code: 'timeout'; timeoutMs: number }
  | { code: 'unreachable'; refused?: boolean; tls?: TlsProblem }
  | { code: 'http-status'; status: number; body: string }
  | { code: 'bad-answer'; answer: string }
  | { code: 'rpc-error'; rpcCode: number; rpcMessage: string; data?: unknown }
  | { code: 'aborted' };

type ClientErrorCode = ClientFailure['code'];

/** A failed call: which method, at which server, and why. */
export class ClientError extends Error {
  /**
   * @param server origin of the URL only: paths and user names may hold secrets
   * @param detail what a reader of the log needs, in words
   */
  constructor(
    readonly failure: ClientFailure,
    readonly method: string,
    readonly server: string,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`${method} at ${server}: ${detail}`, options);
    this.name = 'ClientError';
  }

  get code(): ClientErrorCode {
    return this.failure.code;
  }
}

/** Whether nothing listens where the program should be: if it did before, its process is gone. */
export function isRefused(error: unknown): boolean {
  return (
    error instanceof ClientError && error.failure.code === 'unreachable' && error.failure.refused === true
  );
}

/** The JSON-RPC error inside `error`, or null if it is something else. */
export function rpcFailure(error: unknown): Extract<ClientFailure, { code: 'rpc-error' }> | null {
  return error instanceof ClientError && error.failure.code === 'rpc-error' ? error.failure : null;
}
