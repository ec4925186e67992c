/** JSON-RPC error codes that appear on the wire. */
export const RpcCode = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** go-ethereum's code for a batch whose answers together are too long. */
  responseTooLarge: -32003,
  /** Every error of the application that has no code of its own. */
  application: -32000,
} as const;

/** What an `RpcError` carries besides its message. */
interface RpcErrorDetails {
  /** Stable name of the cause, for logs and metric labels; never on the wire. */
  reason: string;
  /** JSON-RPC code; -32000 by default. */
  code?: number;
  /** Goes to the client as `error.data`. */
  data?: unknown;
  cause?: unknown;
}

/** An error whose message, code and data reach the JSON-RPC client unchanged. */
export class RpcError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly data: unknown;

  constructor(message: string, details: RpcErrorDetails) {
    super(message, { cause: details.cause });
    this.name = 'RpcError';
    this.code = details.code ?? RpcCode.application;
    this.reason = details.reason;
    this.data = details.data;
  }
}
