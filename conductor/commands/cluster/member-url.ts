import { rpcUrlOf } from '../../config/host-port.js';
import type { Member } from '../../verdict/cluster-view.js';

/** JSON-RPC of a member, by its own account; undefined while it gives none. */
export function memberUrl({ addr, status }: Pick<Member, 'addr' | 'status'>): string | undefined {
  return status?.rpcPort ? rpcUrlOf(addr, status.rpcPort, status.rpcScheme) : undefined;
}
