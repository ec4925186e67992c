import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { MIB } from '../../common/bytes.js';
import type { Faults, Program } from './faults.js';

/** A failure that reaches the client with this code and text. -32000 is what go-ethereum gives plain errors. */
export class NodeRpcError extends Error {
  constructor(
    message: string,
    readonly code = -32000,
  ) {
    super(message);
  }
}

/** The answer of a Go handler that dereferenced nil. */
export const handlerCrashed = () => new NodeRpcError('method handler crashed', -32603);

export function invalidArgument(index: number, reason: string): NodeRpcError {
  return new NodeRpcError(`invalid argument ${index}: ${reason}`, -32602);
}

export interface RpcMethod {
  /** Parameters without which the call is refused. */
  required?: number;
  /** Parameters beyond which the call is refused; by default those required. */
  max?: number;
  /** `signal` is aborted when the client goes away. */
  call: (params: unknown[], signal: AbortSignal) => unknown;
}

const BODY_LIMIT_BYTES = 64 * MIB;

interface Request {
  jsonrpc?: unknown;
  id?: unknown;
  method?: unknown;
  params?: unknown;
}

/** A JSON-RPC server on `/` that answers as go-ethereum's does, under the faults of its program. */
export function createRpcServer(
  methods: Record<string, RpcMethod>,
  program: Program,
  faults: Faults,
): FastifyInstance {
  const server = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
  server.post('/', async (request, reply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    await faults.running(program);
    if (faults.slowMs[program] > 0) await sleep(faults.slowMs[program]);
    if (gone.signal.aborted) return reply.hijack();
    const answer = await answerText(withFailures(methods, faults), request.body as string, gone.signal);
    // A program frozen in the middle of a call answers only when it thaws.
    await faults.running(program);
    return reply.type('application/json').send(answer === undefined ? '' : `${JSON.stringify(answer)}\n`);
  });
  return server;
}

function withFailures(methods: Record<string, RpcMethod>, faults: Faults): Record<string, RpcMethod> {
  if (faults.failing.size === 0) return methods;
  const failing = [...faults.failing].map(([name, text]): [string, RpcMethod] => [
    name,
    { max: Infinity, call: () => Promise.reject(new NodeRpcError(text)) },
  ]);
  return { ...methods, ...Object.fromEntries(failing) };
}

async function answerText(methods: Record<string, RpcMethod>, body: string, signal: AbortSignal) {
  let request: unknown;
  try {
    request = JSON.parse(body);
  } catch {
    return failure(null, new NodeRpcError('parse error', -32700));
  }
  if (!Array.isArray(request)) return answerTo(methods, request, signal);
  if (request.length === 0) return failure(null, new NodeRpcError('empty batch', -32600));
  const answers = [];
  for (const entry of request) answers.push(await answerTo(methods, entry, signal));
  return answers.filter((answer) => answer !== undefined);
}

/** Undefined for a notification. */
async function answerTo(methods: Record<string, RpcMethod>, request: unknown, signal: AbortSignal) {
  const { jsonrpc, id, method, params } = (typeof request === 'object' ? (request ?? {}) : {}) as Request;
  if (jsonrpc !== '2.0' || typeof method !== 'string') {
    return failure(id ?? null, new NodeRpcError('invalid request', -32600));
  }
  try {
    const result = await callOf(methods, method, params ?? [], signal);
    return id === undefined ? undefined : { jsonrpc: '2.0', id, result: result ?? null };
  } catch (error) {
    return id === undefined ? undefined : failure(id, error);
  }
}

function callOf(
  methods: Record<string, RpcMethod>,
  name: string,
  params: unknown,
  signal: AbortSignal,
): unknown {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) {
    throw new NodeRpcError(`the method ${name} does not exist/is not available`, -32601);
  }
  if (!Array.isArray(params)) throw new NodeRpcError('non-array args', -32602);
  const required = method.required ?? 0;
  const max = method.max ?? required;
  if (params.length > max) throw new NodeRpcError(`too many arguments, want at most ${max}`, -32602);
  if (params.length < required) {
    throw new NodeRpcError(`missing value for required argument ${params.length}`, -32602);
  }
  return method.call(params, signal);
}

function failure(id: unknown, error: unknown) {
  const code = error instanceof NodeRpcError ? error.code : -32000;
  const message = error instanceof Error ? error.message : String(error);
  return { jsonrpc: '2.0', id, error: { code, message } };
}
