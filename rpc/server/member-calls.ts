import { z } from 'zod';
import { FAITHFUL_CALLER } from './json-rpc/caller.js';
import type { Dispatcher } from './json-rpc/dispatcher.js';
import type { RpcError } from './json-rpc/rpc-error.js';
import { errorResponse, invalidRequest, methodNotFound } from './json-rpc/responses.js';

/** Calls that members pass to the leader; nothing else can be called in this way. */
const MEMBER_METHODS: ReadonlySet<string> = new Set([
  'conductor_record',
  'conductor_addServerAsVoter',
  'conductor_addServerAsNonvoter',
  'conductor_demoteVoter',
  'conductor_removeServer',
  'conductor_replaceServer',
]);

const name = z.string().min(1).max(128);

/** A call that one member passes to another, and its original caller. */
const memberCallSchema = z.object({
  method: z.string().max(128),
  params: z.array(z.unknown()),
  /** Absent when the member itself is the caller. */
  by: z
    .object({
      address: name,
      token: name.optional(),
      owner: name.optional(),
      reason: z.string().max(1024).optional(),
    })
    .optional(),
});

/**
 * Carries out a call of another member, whose own port decided whether its caller may make it. Reported as calls of
 * that caller are. Never rejects.
 *
 * @param request see `memberCallSchema`
 * @param member which one passed it
 * @returns the JSON-RPC response
 */
export async function answerMember(
  dispatcher: Pick<Dispatcher, 'handle'>,
  request: unknown,
  member: string,
): Promise<object> {
  const { data, error } = memberCallSchema.safeParse(request);
  if (!data) {
    return failed(invalidRequest(`not a call of a member: ${z.prettifyError(error).replaceAll('\n', ' ')}`));
  }
  const { method, params, by: identity = { address: member.slice(0, 128) } } = data;
  if (!MEMBER_METHODS.has(method)) return failed(methodNotFound(method));
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  const answer = await dispatcher.handle(body, { ...FAITHFUL_CALLER, identity });
  return JSON.parse(Buffer.concat(answer).toString('utf8')) as object;
}

const failed = (error: RpcError): object => JSON.parse(errorResponse('null', error)) as object;
