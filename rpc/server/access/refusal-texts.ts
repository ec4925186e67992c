import { RpcError } from '../json-rpc/rpc-error.js';
import type { Refusal } from './refusal.js';
import type { Role } from './roles.js';
import type { Holder } from './token-file.js';

/** The HTTP answer to a request whose sender is not known. */
export function unidentified({ cause, isOneOfMany }: Refusal): { status: 401 | 429; text: string } {
  const text =
    cause === 'no-credential'
      ? 'a credential is needed: send "authorization: Bearer TOKEN" with a token of --rpc.token-file, or a client certificate that it names'
      : 'the credential is not valid: --rpc.token-file of this node does not name it';
  return isOneOfMany
    ? { status: 429, text: `${text}; this address was refused too often, try again in 10 s` }
    : { status: 401, text };
}

/** The JSON-RPC answer to a call that takes a role that its sender lacks. */
export function roleMissing({
  holder,
  method,
  needed,
  isWithheld,
}: {
  holder: Holder;
  method: string;
  needed: readonly Role[];
  /** No credential helps on this port. */
  isWithheld: boolean;
}): RpcError {
  const held = holder.roles.length > 0 ? `the role ${holder.roles.join(', ')}` : 'no role here';
  const message = isWithheld
    ? `${method} is served on --rpc.local-addr only: point op-node there`
    : `${method} takes the role ${needed.join(' or ')}; "${holder.name}" has ${held}`;
  return new RpcError(message, {
    reason: 'role-missing',
    data: { code: 'role-missing', needs: needed, holder: holder.name },
  });
}
