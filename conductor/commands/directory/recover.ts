import { planRecovery, recoverDirectory, type RecoveryPlan } from '../../../raft/index.js';
import { parseHostPort } from '../../config/host-port.js';
import { CommandError } from '../command-error.js';
import type { AddCommand } from '../command.js';
import { ChainSummary } from './chain-summary.js';
import { dataDirectory } from './data-directory.js';
import { asCommandError } from './inspect.js';

interface Options {
  yes?: boolean;
  address?: string;
}

/** `baton recover DIRECTORY --yes`: a cluster of one out of the directory of a survivor. */
export const addRecover: AddCommand = (program, io) => {
  program
    .command('recover <directory>')
    .description('after the loss of the quorum: make the stopped node of this directory a cluster of its own')
    .option('--address <host:port>', 'consensus address of the node, if it has another now')
    .option('--yes', 'do it; without, only say what would be done')
    .action(async (directory: string, { yes, address }: Options) => {
      if (address !== undefined && !parseHostPort(address)) {
        throw new CommandError('usage', `"${address}" is no consensus address such as 10.0.0.4:50050`);
      }
      const chain = new ChainSummary();
      const plan = await planRecovery(dataDirectory(directory), address, chain).catch(asCommandError);
      for (const line of warning(plan, chain)) io.print(line);
      if (!yes) throw new CommandError('unconfirmed', 'nothing was changed');
      await recoverDirectory(plan).catch(asCommandError);
      io.print(
        `Done. Start ${plan.after.nodeId}, then add nodes with empty directories: baton add ID ADDRESS.`,
      );
    });
};

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
    `itself at ${member.address} as the only voter. It will sequence as soon as it is started.`,
    `Left behind: ${lost}. They refuse this node from now on, and it refuses them. If a majority of them can come`,
    'back with their disks, bring them back instead: two clusters would build two chains.',
  ];
}
