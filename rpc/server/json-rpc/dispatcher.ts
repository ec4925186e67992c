import type { Logger } from 'pino';
import { MIB } from '../../../common/bytes.js';
import type { CallReport, ChangeReport } from './call-report.js';
import { FAITHFUL_CALLER, type Caller } from './caller.js';
import { RpcCode, RpcError } from './rpc-error.js';
import type { Method, MethodTable } from './method-table.js';
import { decodeArguments } from './method-table.js';
import { parseBody, readCall, type Call, type Written } from './parse-body.js';
import { errorResponse, methodNotFound, responseTooLarge, resultResponse, resultText } from './responses.js';
import { nextTurn } from './event-loop-turns.js';

interface DispatcherOptions {
  methods: MethodTable;
  logger: Logger;
  /** Hears of every call and notification. */
  onCall?: ((report: CallReport) => void) | undefined;
  /** Hears of every call that changes something, when it has ended. */
  onChange?: ((report: ChangeReport) => void) | undefined;
}

/** Reads, elsewhere, bodies that would hold up the event loop. */
export interface LargeBodies {
  /**
   * The call in a body, or the answer to a body that must not be so large.
   *
   * @param gone the client no longer waits
   * @throws RpcError for a body that could not be read in time
   */
  read(body: Buffer, gone: AbortSignal): Promise<LargeCall | string>;
}

/** A call whose parameters were already examined. */
export interface LargeCall extends Omit<Call, 'params'> {
  /** @throws RpcError as `decodeArguments` does */
  argumentsFor: (params: Method['params']) => unknown[];
}

/** JSON.parse and decoding of this much take some 20 ms; another thread reads larger bodies. */
export const LARGE_BODY_BYTES = 4 * MIB;

/** More than these answers to one batch would fill the memory: a call of 100 bytes may bring a block of megabytes. */
const BATCH_ANSWER_CHARS_MAX = 32 * MIB;
/** This many are put together and encoded at a time. */
const BATCH_PART_CHARS = MIB;
/** Go's server has no such limit; our batches let other requests in after this long. */
const BATCH_TURN_MS = 5;

/** The answer to one message; a notification's is not sent. */
interface Answer {
  text: string;
  isSent: boolean;
}

/** Turns JSON-RPC request bodies into response bodies. */
export class Dispatcher {
  constructor(private readonly options: DispatcherOptions) {}

  /**
   * Answers one HTTP body. Never rejects.
   *
   * @param caller the client that waits for the answer; once it is gone, the rest of a batch is not carried out
   * @returns the response body, in parts; empty when there is nothing to answer (empty body, notifications only)
   */
  async handle(body: Buffer, caller: Caller = FAITHFUL_CALLER): Promise<Buffer[]> {
    const startedMs = performance.now();
    const parsed = parseBody(body);
    if (typeof parsed === 'string') return [Buffer.from(parsed)];
    const { value, written } = parsed;
    if (Array.isArray(value)) return this.answerBatch({ messages: value, written, startedMs, caller });
    const { text, isSent } = await this.answer(value, written(0), startedMs, caller);
    return [Buffer.from(isSent ? `${text}\n` : '')];
  }

  /** Answers a body of more than `LARGE_BODY_BYTES`. Never rejects. */
  async handleLarge(body: Buffer, largeBodies: LargeBodies, caller: Caller): Promise<Buffer[]> {
    const startedMs = performance.now();
    let call: LargeCall | string;
    try {
      call = await largeBodies.read(body, caller.gone);
    } catch (error) {
      const failure = error instanceof RpcError ? error : this.crashed('', error);
      return [Buffer.from(errorResponse('null', failure))];
    }
    if (typeof call === 'string') return [Buffer.from(call)];
    const answer = await this.call(call, call.argumentsFor, startedMs, caller);
    return [Buffer.from(call.isNotification ? '' : `${answer}\n`)];
  }

  private async answerBatch(batch: {
    messages: readonly unknown[];
    written: (index: number) => Written;
    startedMs: number;
    caller: Caller;
  }): Promise<Buffer[]> {
    const parts: Buffer[] = [];
    let part = '';
    let chars = 0;
    let turnSinceMs = batch.startedMs;
    const add = (answer: string): void => {
      part += `${parts.length === 0 && part === '' ? '[' : ','}${answer}`;
      if (part.length < BATCH_PART_CHARS) return;
      parts.push(Buffer.from(part));
      part = '';
    };
    for (const [index, message] of batch.messages.entries()) {
      if (performance.now() - turnSinceMs > BATCH_TURN_MS) {
        await nextTurn();
        turnSinceMs = performance.now();
      }
      if (batch.caller.isGone) break;
      if (chars > BATCH_ANSWER_CHARS_MAX) {
        add(errorResponse('null', responseTooLarge()));
        break;
      }
      const { text, isSent } = await this.answer(
        message,
        batch.written(index),
        performance.now(),
        batch.caller,
      );
      // Answers that are not sent cost as much to make.
      chars += text.length;
      if (isSent) add(text);
    }
    const isEmpty = parts.length === 0 && part === '';
    return isEmpty ? [] : [...parts, Buffer.from(`${part}]\n`)];
  }

  private async answer(
    message: unknown,
    written: Written,
    startedMs: number,
    caller: Caller,
  ): Promise<Answer> {
    const call = readCall(message, written);
    if (typeof call === 'string') return { text: call, isSent: call !== '' };
    const text = await this.call(call, (params) => decodeArguments(params, call.params), startedMs, caller);
    return { text, isSent: !call.isNotification };
  }

  private async call(
    { method: name, idText, paramsBytes }: Omit<Call, 'params'>,
    argumentsFor: (params: Method['params']) => unknown[],
    startedMs: number,
    caller: Caller,
  ): Promise<string> {
    let decodedMs: number | undefined;
    let args: unknown[] | undefined;
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
      args = argumentsFor(method.params);
      decodedMs = performance.now();
      const refusal = caller.refusalOf?.(name, args);
      if (refusal) throw refusal;
      const result = resultText(await method.call(args, caller));
      resultBytes = result.length;
      answer = resultResponse(idText, result);
    } catch (error) {
      failure = error instanceof RpcError ? error : this.crashed(name, error);
      answer = errorResponse(idText, failure);
    }
    if (method?.changes && args) {
      this.options.onChange?.({
        ...{ method: name, params: args, by: caller.identity, isRoutine: method.changes === 'routine' },
        ...(failure && { failure }),
      });
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
