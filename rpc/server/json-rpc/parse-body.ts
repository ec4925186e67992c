import { isAscii } from 'node:buffer';
import { MIB } from '../../../common/bytes.js';
import { errorResponse, invalidRequest, parseError } from './responses.js';
import { scanBody, type Span } from './scan-body.js';

/** What JSON.parse does not say about a message. */
export interface Written {
  /** The `id` as the client wrote it. */
  id: string | undefined;
  paramsBytes: number;
}

/** A well-formed call or notification. */
export interface Call {
  method: string;
  params: unknown;
  /** As the client wrote it; `null` for a notification. */
  idText: string;
  isNotification: boolean;
  /** Length of the params as they are written. */
  paramsBytes: number;
}

/** A body that was read: its JSON, and the details beside it. */
interface ParsedBody {
  value: unknown;
  written: (index: number) => Written;
}

/** A larger body is a payload, which is ASCII without escapes. Other text costs JSON.parse several times as much. */
const ANY_TEXT_BYTES_MAX = 4 * MIB;
/** Ids are counters or UUIDs; they are echoed. */
const ID_CHARS_MAX = 1024;
/** go-ethereum's limit. */
const METHOD_CHARS_MAX = 2048;

/** The answer to a message that is not a call: a batch may hold a hundred thousand of them. */
const INVALID_REQUEST = errorResponse('null', invalidRequest());

/** Reads a body; a string is the answer to one that cannot be read, empty if there is nothing to answer. */
export function parseBody(body: Buffer): ParsedBody | string {
  const scanned = scanBody(body);
  if (scanned === 'empty') return '';
  // go-ethereum ends all answers with a newline, except those to an unreadable body and to an empty batch.
  if (scanned === 'malformed') return errorResponse('null', parseError());
  if (scanned === 'too-many-values') {
    return errorResponse('null', invalidRequest('invalid request: too many JSON values in the body'));
  }
  if (isCostlyText(body.subarray(scanned.start, scanned.end))) {
    return errorResponse(
      'null',
      invalidRequest('invalid request: escapes or non-ASCII text in a large body'),
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text(body, scanned));
  } catch {
    return errorResponse('null', parseError());
  }
  if (Array.isArray(value) && value.length === 0) {
    return errorResponse('null', invalidRequest('empty batch'));
  }
  const written = (index: number): Written => {
    const span = scanned.ids[index];
    return { id: span && text(body, span), paramsBytes: scanned.paramsBytes[index] ?? 0 };
  };
  return { value, written };
}

/** Reads one message; a string is the answer to one that is not a call, empty if there is nothing to answer. */
export function readCall(message: unknown, written: Written): Call | string {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return INVALID_REQUEST;
  }
  const { jsonrpc, id, method, params } = message as Record<string, unknown>;
  const hasValidId = id === null || (id !== undefined && typeof id !== 'object');
  const idText = hasValidId ? (written.id ?? JSON.stringify(id)) : 'null';
  if (idText.length > ID_CHARS_MAX) {
    return errorResponse('null', invalidRequest('invalid request: the id is too long'));
  }
  const isCall = jsonrpc === '2.0' && typeof method === 'string' && method !== '';
  if (!isCall || (id !== undefined && !hasValidId)) {
    return idText === 'null' ? INVALID_REQUEST : errorResponse(idText, invalidRequest());
  }
  const isNotification = id === undefined;
  if (method.length > METHOD_CHARS_MAX) {
    const problem = `method name too long: ${method.length} > ${METHOD_CHARS_MAX}`;
    return isNotification ? '' : errorResponse(idText, invalidRequest(problem));
  }
  return { method, params, idText, isNotification, paramsBytes: written.paramsBytes };
}

function isCostlyText(part: Buffer): boolean {
  return part.length > ANY_TEXT_BYTES_MAX && (!isAscii(part) || part.includes('\\'));
}

/** Latin-1 decodes twice as fast as UTF-8 and payloads are pure ASCII. */
function text(body: Buffer, span: Span): string {
  const part = body.subarray(span.start, span.end);
  return part.toString(isAscii(part) ? 'latin1' : 'utf8');
}
