import { RpcCode, RpcError } from './rpc-error.js';
import { RawJson } from '../../clients/raw-json.js';

/** Messages quote the request: 32 MiB of it would take seconds to escape, and help nobody. */
const MESSAGE_CHARS_MAX = 8192;

const HTML_CHARACTERS = /[<>&\u2028\u2029]/g;

/** JSON of a result, or of an error's data. */
export function resultText(result: unknown): string {
  return result instanceof RawJson ? result.text : goJson(result ?? null);
}

/** The answer to a call that succeeded. `idText` is the id as the client wrote it, `result` is JSON. */
export function resultResponse(idText: string, result: string): string {
  return `{"jsonrpc":"2.0","id":${idText},"result":${result}}`;
}

/** The answer to a call that failed. */
export function errorResponse(idText: string, error: RpcError): string {
  const { code, data } = error;
  const message = goJson(error.message.slice(0, MESSAGE_CHARS_MAX));
  const more = data === undefined ? '' : `,"data":${resultText(data)}`;
  return `{"jsonrpc":"2.0","id":${idText},"error":{"code":${code},"message":${message}${more}}}`;
}

export function parseError(): RpcError {
  return new RpcError('parse error', { code: RpcCode.parse, reason: 'parse-error' });
}

export function invalidRequest(message = 'invalid request'): RpcError {
  return new RpcError(message, { code: RpcCode.invalidRequest, reason: 'invalid-request' });
}

/** The calls of a batch after this answer were not carried out. */
export function responseTooLarge(): RpcError {
  return new RpcError('response too large', { code: RpcCode.responseTooLarge, reason: 'response-too-large' });
}

export function methodNotFound(name: string): RpcError {
  return new RpcError(`the method ${name} does not exist/is not available`, {
    code: RpcCode.methodNotFound,
    reason: 'method-not-found',
  });
}

/** JSON with the same characters escaped as by Go's encoder, so that answers are equal byte for byte. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    HTML_CHARACTERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
