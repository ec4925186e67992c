import { planRecovery, recoverDirectory, type RecoveryPlan } from '../../../raft/index.js';
import { parseHostPort } from '../../config/host-port.js';
import { CommandError } from '../command-error.js';
import type { RunIo } from '../command.js';
import { confirmed, type ChangeOptions } from '../confirmation.js';
import { ChainSummary } from './chain-summary.js';
import { dataDirectory } from './data-directory.js';
import { asCommandError } from './inspect.js';

/** Shows what a recovery would do, and does it after confirmation. @throws CommandError */
export async function recover(
  directory: string,
  { address, ...options }: ChangeOptions & { address?: string },
  io: RunIo,
): Promise<void> {
  if (address !== undefined && !parseHostPort(address)) {
    throw new CommandError('usage', `"${address}" is no consensus address such as 10.0.0.4:50050`);
  }
  const chain = new ChainSummary();
  const plan = await planRecovery(dataDirectory(directory), address, chain).catch(asCommandError);
  if (!(await confirmed(io, warning(plan, chain), options))) return;
  await recoverDirectory(plan).catch(asCommandError);
  const { nodeId, clusterId } = plan.after;
  io.report.done(`Done. Start ${nodeId}, then add nodes with empty directories: baton add ID ADDRESS.`, {
    id: nodeId,
    clusterId,
  });
}

function warning(
  { inspection, before, after, member, lostMembers, commitKnown }: RecoveryPlan,
  chain: ChainSummary,
): string[] {
  const { index, term } = inspection.last ?? { index: 0, term: 0 };
  const head = chain.head ? `block ${chain.head.number} ${chain.head.hash}` : 'no block';
  const lost = lostMembers.map(({ id, address }) => `${id}@${address}`).join(', ') || 'none';
  return [
    `${inspection.directory} holds the log up to index ${index} of term ${term}: ${head}.`,
    'Whatever the lost nodes committed after that is lost, although op-nodes may have published it: compare with the',
    `heads of your op-nodes. Entries above ${commitKnown} were perhaps never committed; they will be.`,
    `Node ${after.nodeId} leaves cluster ${before.clusterId} and founds ${after.clusterId} (epoch ${after.epoch}), with`,
    `itself at ${member.address} as the only voter. It will sequence as soon as it is started. The failure tolerance is 0`,
    'until others are added.',
    `Left behind: ${lost}. They refuse this node from now on, and it refuses them. If a majority of them can come`,
    'back with their disks, bring them back instead: two clusters would build two chains.',
  ];
}
