import { withDeadline } from '../../common/deadline.js';
import type { ClusterStatus, ConductorStatus } from '../../rpc/server/conductor-status.js';
import { conductorStatusSchema } from '../../rpc/server/conductor-status.js';

/** Asks the member at a consensus address for its status, and returns it unchecked. */
export type AskStatus = (
  address: string,
  signal: AbortSignal,
) => Promise<{ nodeId: string; status?: unknown }>;

/**
 * Asks all members in parallel, so the answer takes as long as the slowest one, at most `timeoutMs`. Never rejects: a
 * member that does not answer is in the list with the reason.
 */
export async function clusterStatus(
  own: ConductorStatus,
  ask: AskStatus,
  timeoutMs: number,
): Promise<ClusterStatus> {
  const members = own.membership.servers.map(async (server) => {
    if (server.id === own.id) return { ...server, status: own, error: '' };
    try {
      return { ...server, status: await statusOf(server, ask, timeoutMs), error: '' };
    } catch (error) {
      return { ...server, status: null, error: (error as Error).message };
    }
  });
  return { answeredBy: own.id, members: await Promise.all(members) };
}

/** The status of a member by its id. @throws Error as `statusOf`, or if the id is not known here */
export async function statusOfMember(
  own: ConductorStatus,
  ask: AskStatus,
  id: string,
  timeoutMs: number,
): Promise<ConductorStatus> {
  const server = own.membership.servers.find((candidate) => candidate.id === id);
  if (!server) throw new Error('its address is not known here');
  return statusOf(server, ask, timeoutMs);
}

/** The status of one member. @throws Error if it does not answer in time, or another node does */
export async function statusOf(
  server: { id: string; addr: string },
  ask: AskStatus,
  timeoutMs: number,
): Promise<ConductorStatus> {
  const { nodeId, status } = await withDeadline((signal) => ask(server.addr, signal), { timeoutMs });
  if (nodeId !== server.id) throw new Error(`the node at ${server.addr} is ${nodeId}`);
  const parsed = conductorStatusSchema.safeParse(status);
  if (!parsed.success)
    throw new Error(`the node at ${server.addr} runs a version whose status cannot be read`);
  return parsed.data;
}
