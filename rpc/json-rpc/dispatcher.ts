import { isAscii } from 'node:buffer';
import { setImmediate as nextTick } from 'node:timers/promises';
import type { Logger } from 'pino';
import { RpcCode, RpcError } from '../rpc-error.js';
import type { MethodTable } from './method-table.js';
import { decodeArguments } from './method-table.js';
import {
  errorResponse,
  invalidRequest,
  methodNotFound,
  parseError,
  responseTooLarge,
  resultResponse,
  resultText,
} from './responses.js';
import type { Span } from './scan-body.js';
import { scanBody } from './scan-body.js';

/** One finished call, for metrics. */
export interface CallReport {
  /** `unknown` for a method that does not exist, so that clients cannot make up metric labels. */
  method: string;
  /** Since its body was there; for one of a batch, since its turn. */
  durationMs: number;
  /** The part of it until its parameters were decoded. */
  decodeMs: number;
  /** Length of its parameters and of its result, as written; 0 where there are none. */
  paramsBytes: number;
  resultBytes: number;
  /** Absent on success. */
  error?: RpcError;
}

export interface DispatcherOptions {
  methods: MethodTable;
  logger: Logger;
  /** Told about every call and notification. */
  onCall?: ((report: CallReport) => void) | undefined;
}

type Message = Record<string, unknown>;

/** What JSON.parse does not tell of a message. */
interface Written {
  id: string | undefined;
  paramsBytes: number;
}

/** Longer answers to one batch would fill the memory: a call of 100 bytes may bring a block of megabytes. */
const BATCH_ANSWER_CHARS_MAX = 32 * 2 ** 20;
/** Ids are counters or UUIDs; they are echoed. */
const ID_CHARS_MAX = 1024;
/** What is larger is a payload, which is ASCII without escapes. Other text costs JSON.parse several times as much. */
const ANY_TEXT_BYTES_MAX = 4 * 2 ** 20;

// Go's server has no such notion; ours must let other requests in between.
const BATCH_ENTRIES_PER_TICK = 100;

/** Turns JSON-RPC request bodies into response bodies. */
export class Dispatcher {
  constructor(private readonly options: DispatcherOptions) {}

  /**
   * Answers one HTTP body. Never rejects.
   *
   * @returns the response body; empty when there is nothing to answer (empty body, notifications only)
   */
  async handle(body: Buffer): Promise<string> {
    const startedMs = performance.now();
    const scanned = scanBody(body);
    if (scanned === 'empty') return '';
    // go-ethereum ends all answers with a newline but those to a body that it cannot read and to an empty batch.
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
    let parsed: unknown;
    try {
      parsed = JSON.parse(text(body, scanned));
    } catch {
      return errorResponse('null', parseError());
    }
    const written = (index: number): Written => {
      const span = scanned.ids[index];
      return { id: span && text(body, span), paramsBytes: scanned.paramsBytes[index] ?? 0 };
    };
    if (!Array.isArray(parsed)) {
      const answer = await this.answer(parsed, written(0), startedMs);
      return answer === undefined ? '' : `${answer}\n`;
    }
    if (parsed.length === 0) return errorResponse('null', invalidRequest('empty batch'));
    const answers: string[] = [];
    let chars = 0;
    for (let index = 0; index < parsed.length; index++) {
      if (index > 0 && index % BATCH_ENTRIES_PER_TICK === 0) await nextTick();
      if (chars > BATCH_ANSWER_CHARS_MAX) {
        answers.push(errorResponse('null', responseTooLarge()));
        break;
      }
      const answer = await this.answer(parsed[index], written(index), performance.now());
      if (answer === undefined) continue;
      answers.push(answer);
      chars += answer.length;
    }
    return answers.length === 0 ? '' : `[${answers.join(',')}]\n`;
  }

  /** Answers one message; `undefined` for a notification. */
  private async answer(message: unknown, written: Written, startedMs: number): Promise<string | undefined> {
    if (typeof message !== 'object' || message === null || Array.isArray(message)) {
      return errorResponse('null', invalidRequest());
    }
    const { jsonrpc, id, method, params } = message as Message;
    const hasValidId = id === null || (id !== undefined && typeof id !== 'object');
    const idText = hasValidId ? (written.id ?? JSON.stringify(id)) : 'null';
    if (idText.length > ID_CHARS_MAX) {
      return errorResponse('null', invalidRequest('invalid request: the id is too long'));
    }
    const isCall = jsonrpc === '2.0' && typeof method === 'string' && method !== '';
    if (!isCall || (id !== undefined && !hasValidId)) return errorResponse(idText, invalidRequest());
    const answer = await this.call(method, params, idText, written.paramsBytes, startedMs);
    return id === undefined ? undefined : answer;
  }

  private async call(
    name: string,
    params: unknown,
    idText: string,
    paramsBytes: number,
    startedMs: number,
  ): Promise<string> {
    let decodedMs: number | undefined;
    let resultBytes = 0;
    const method = this.options.methods.get(name);
    let answer: string;
    let failure: RpcError | undefined;
    try {
      if (name.endsWith('_subscribe')) {
        throw new RpcError('notifications not supported', {
          code: RpcCode.methodNotFound,
          reason: 'method-not-found',
        });
      }
      if (!method) throw methodNotFound(name);
      const args = decodeArguments(method.params, params);
      decodedMs = performance.now();
      const result = resultText(await method.call(...args));
      resultBytes = result.length;
      answer = resultResponse(idText, result);
    } catch (error) {
      failure = error instanceof RpcError ? error : this.crashed(name, error);
      answer = errorResponse(idText, failure);
    }
    const endedMs = performance.now();
    this.options.onCall?.({
      method: method ? name : 'unknown',
      durationMs: endedMs - startedMs,
      decodeMs: (decodedMs ?? endedMs) - startedMs,
      paramsBytes,
      resultBytes,
      ...(failure && { error: failure }),
    });
    return answer;
  }

  private crashed(method: string, error: unknown): RpcError {
    this.options.logger.error({ err: error, method }, 'RPC method failed unexpectedly');
    return new RpcError('method handler crashed', {
      code: RpcCode.internal,
      reason: 'crashed',
      cause: error,
    });
  }
}

function isCostlyText(part: Buffer): boolean {
  return part.length > ANY_TEXT_BYTES_MAX && (!isAscii(part) || part.includes('\\'));
}

/** Latin-1 decodes twice as fast as UTF-8 and payloads are pure ASCII. */
function text(body: Buffer, span: Span): string {
  const part = body.subarray(span.start, span.end);
  return part.toString(isAscii(part) ? 'latin1' : 'utf8');
}
