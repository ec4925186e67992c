import { rpcUrlOf } from '../../config/host-port.js';
import type { Member } from '../../verdict/cluster-view.js';

/** JSON-RPC of a member, by what it says of itself; undefined while it says nothing. */
export function memberUrl({ addr, status }: Pick<Member, 'addr' | 'status'>): string | undefined {
  return status?.rpcPort ? rpcUrlOf(addr, status.rpcPort, status.rpcScheme) : undefined;
}
