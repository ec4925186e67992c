import type { LookupFunction } from 'node:net';
import { request, type Dispatcher } from 'undici';
import { z } from 'zod';
import { MIB } from '../../common/bytes.js';
import { ClientError, type ClientFailure } from './client-error.js';
import { DeadlineExceeded, withDeadline } from '../../common/deadline.js';
import { Dialer, type ClientTls } from '../../common/dialer.js';
import { parseEndpoint, type Endpoint } from '../../common/endpoint.js';
import { tlsFailure } from '../../common/tls-failure.js';
import { RawJson, rawMembers } from './raw-json.js';

/** Per-call options; both override those of the client. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}

export interface JsonRpcClientOptions {
  /**
   * `http://` or `https://`; a user name and password in it are sent as basic authentication. Null: the program does
   * not exist, and every call fails at once as `unreachable`.
   */
  url: string | null;
  /** Why the program does not exist, for the text of those failures. */
  absence?: string | undefined;
  /** Default deadline of a call. */
  timeoutMs?: number | undefined;
  /** Sent with every call, in addition to those of JSON-RPC. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Sent with every call, unless the URL has a user name or password. */
  token?: string | undefined;
  /** Of an `https://` URL. */
  tls?: ClientTls | undefined;
  /** That of this process by default. */
  lookup?: LookupFunction;
}

interface JsonRpcCall<T> {
  method: string;
  params?: readonly unknown[];
  /** JSON text of the whole `params` array, spliced in unchanged. Replaces `params`. */
  paramsText?: string;
  /** Shape of the result. */
  result: z.ZodType<T>;
  /** A read that may be sent a second time when the connection breaks. Never set for start, stop or post. */
  idempotent?: boolean;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** An answer of this size is a mistake; a block with 10,000 transaction hashes has 0.7 MB. */
const MAX_ANSWER_BYTES = 64 * MIB;
const EXCERPT_CHARS = 200;

const rpcError = z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() });

const envelope = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.number(), z.string(), z.null()]),
  result: z.unknown().optional(),
  error: rpcError.optional(),
});

interface TextResponse {
  status: number;
  text: string;
}

/**
 * JSON-RPC 2.0 over one kept-alive HTTP origin. Every call has its own deadline, never undici's 300 s, and fails with a
 * `ClientError`. Host names are resolved again for every new connection; a connection that is still being made when a
 * call gives up is left to the next call.
 */
export class JsonRpcClient {
  readonly #endpoint: Endpoint | null;
  readonly #absence: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;
  readonly #dialer: Dialer;
  #nextId = 1;

  /** @throws EndpointError */
  constructor({
    url,
    absence = 'no URL is given',
    timeoutMs = DEFAULT_TIMEOUT_MS,
    headers,
    token,
    tls,
    lookup,
  }: JsonRpcClientOptions) {
    this.#endpoint = url === null ? null : parseEndpoint(url);
    this.#absence = absence;
    const bearer = token === undefined ? undefined : `Bearer ${token}`;
    const authorization = this.#endpoint?.authorization ?? bearer;
    this.#headers = {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json',
      ...(authorization !== undefined && { authorization }),
    };
    this.#timeoutMs = timeoutMs;
    this.#dialer = new Dialer({ answerBytesMax: MAX_ANSWER_BYTES, lookup, tls });
  }

  /** Calls a method and returns its validated result. Rejects with a `ClientError`, never anything else. */
  async call<T>(call: JsonRpcCall<T>, options: CallOptions = {}): Promise<T> {
    const id = this.#nextId++;
    const params = call.paramsText ?? JSON.stringify(call.params ?? []);
    const answer = await this.#exchange(id, call.method, params, call.idempotent === true, options);
    return this.#readResult(call, id, answer);
  }

  /**
   * Calls a method and returns the JSON text of its result, byte for byte and not parsed. Rejects with a
   * `ClientError`, never anything else; the `data` of an error is `RawJson` then.
   */
  async callForText(
    call: Omit<JsonRpcCall<never>, 'result' | 'paramsText'>,
    options: CallOptions = {},
  ): Promise<string> {
    const id = this.#nextId++;
    const params = JSON.stringify(call.params ?? []);
    const answer = await this.#exchange(id, call.method, params, call.idempotent === true, options);
    const bad = this.#badAnswer(call.method, answer);
    const members = rawMembers(answer.text);
    if (!members || members.get('jsonrpc') !== '"2.0"') throw bad('answer is not JSON-RPC 2.0');
    const error = members.get('error');
    if (error !== undefined && error !== 'null') {
      const parsed = parseRpcError(error);
      if (!parsed) throw bad('answer is not JSON-RPC 2.0');
      const data = rawMembers(error)?.get('data');
      throw this.#rpcError(call.method, data === undefined ? parsed : { ...parsed, data: new RawJson(data) });
    }
    if (members.get('id') !== String(id)) throw bad(`answer to another request than ${id}`);
    const result = members.get('result');
    if (result === undefined) throw bad('answer without result or error');
    return result;
  }

  /** Calls the listener whenever either side ends a connection. */
  onDisconnect(listener: () => void): void {
    this.#dialer.agent.on('disconnect', () => listener());
  }

  /** Ends all calls and connections; calls under way fail as `unreachable`. */
  async close(): Promise<void> {
    await this.#dialer.close();
  }

  async #exchange(
    id: number,
    method: string,
    params: string,
    idempotent: boolean,
    { signal, timeoutMs = this.#timeoutMs }: CallOptions,
  ): Promise<TextResponse> {
    if (!this.#endpoint) throw this.#error(method, { code: 'unreachable' }, this.#absence);
    const { url } = this.#endpoint;
    const body = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}`;
    const { dispatcher, isSent } = this.#dialer.forOneRequest();
    let answer: TextResponse;
    try {
      answer = await withDeadline((deadline) => this.#send(url, body, deadline, idempotent, dispatcher), {
        timeoutMs,
        signal,
      });
    } catch (error) {
      throw this.#transportError(method, error, signal, isSent());
    }
    const { status, text } = answer;
    if (status >= 200 && status <= 299) return answer;
    const excerpt = text.slice(0, EXCERPT_CHARS);
    throw this.#error(
      method,
      { code: 'http-status', status, body: excerpt },
      `HTTP status ${status}: ${excerpt}`,
    );
  }

  async #send(
    url: string,
    body: string,
    signal: AbortSignal,
    idempotent: boolean,
    dispatcher: Dispatcher,
  ): Promise<TextResponse> {
    const attempt = async (): Promise<TextResponse> => {
      const response = await request(url, {
        method: 'POST',
        headers: this.#headers,
        body,
        signal,
        dispatcher,
      });
      return { status: response.statusCode, text: await response.body.text() };
    };
    try {
      return await attempt();
    } catch (error) {
      // The server may close a kept-alive connection just as we write to it: that says nothing about its health.
      if (idempotent && !signal.aborted && isConnectionReset(error)) return await attempt();
      throw error;
    }
  }

  #transportError(
    method: string,
    error: unknown,
    signal: AbortSignal | undefined,
    isSent: boolean,
  ): ClientError {
    if (error instanceof DeadlineExceeded) {
      const { timeoutMs } = error;
      const detail = isSent ? error.message : `no connection within ${timeoutMs} ms: ${this.#dialer.phase}`;
      return this.#error(method, { code: 'timeout', timeoutMs }, detail);
    }
    if (signal?.aborted) return this.#error(method, { code: 'aborted' }, 'aborted', error);
    if (errorCode(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
      return this.#error(
        method,
        { code: 'bad-answer', answer: '' },
        `answer larger than ${MAX_ANSWER_BYTES} bytes`,
      );
    }
    const tls = tlsFailure(error);
    if (tls) return this.#error(method, { code: 'unreachable', tls: tls.problem }, tls.text, error);
    const failure = { code: 'unreachable', refused: isConnectionRefused(error) } as const;
    return this.#error(method, failure, describe(error), error);
  }

  #readResult<T>(call: JsonRpcCall<T>, id: number, answer: TextResponse): T {
    const bad = this.#badAnswer(call.method, answer);
    let json: unknown;
    try {
      json = JSON.parse(answer.text);
    } catch {
      throw bad('answer is not JSON');
    }
    const parsed = envelope.safeParse(json);
    if (!parsed.success) throw bad('answer is not JSON-RPC 2.0');
    const { error, result } = parsed.data;
    if (error !== undefined) throw this.#rpcError(call.method, error);
    if (parsed.data.id !== id) throw bad(`answer to another request than ${id}`);
    if (result === undefined) throw bad('answer without result or error');
    const checked = call.result.safeParse(result);
    if (!checked.success) {
      const issue = checked.error.issues[0];
      throw bad(`unexpected result (${issue?.path.join('.') || 'result'}: ${issue?.message})`);
    }
    return checked.data;
  }

  #badAnswer(method: string, { text }: TextResponse): (why: string) => ClientError {
    const answer = text.slice(0, EXCERPT_CHARS);
    return (why) => this.#error(method, { code: 'bad-answer', answer }, `${why}: ${answer}`);
  }

  #rpcError(method: string, { code, message, data }: z.infer<typeof rpcError>): ClientError {
    const failure: ClientFailure = { code: 'rpc-error', rpcCode: code, rpcMessage: message };
    if (data !== undefined) failure.data = data;
    return this.#error(method, failure, `${message} (code ${code})`);
  }

  #error(method: string, failure: ClientFailure, detail: string, cause?: unknown): ClientError {
    return new ClientError(
      failure,
      method,
      this.#endpoint?.origin ?? 'no address',
      detail,
      cause === undefined ? undefined : { cause },
    );
  }
}

function parseRpcError(json: string): z.infer<typeof rpcError> | undefined {
  try {
    return rpcError.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

function errorCode(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

/** At every address of the host. */
function isConnectionRefused(error: unknown): boolean {
  const { errors } = error as { errors?: unknown[] };
  return errors ? errors.every(isConnectionRefused) : errorCode(error) === 'ECONNREFUSED';
}

function isConnectionReset(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** A host with several addresses fails with an AggregateError, whose own message is empty. */
function describe(error: unknown): string {
  const { message, errors } = error as { message?: string; errors?: unknown[] };
  return message || errors?.map(describe).join('; ') || String(error);
}
