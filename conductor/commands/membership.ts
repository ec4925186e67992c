import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import { parseHostPort } from '../config/host-port.js';
import {
  callLeader,
  clusterCommand,
  memberOf,
  operate,
  type ClusterOptions,
} from './cluster/cluster-command.js';
import { answering, leaders, quorum, votersOf, type ClusterView } from './cluster/cluster-view.js';

/** `baton add <id> <address>`: a member that has the log and, unless asked otherwise, a vote. */
export const addAdd: AddCommand = (program, io) => {
  clusterCommand(program, io, 'add <id> <address>')
    .description('add a member by its id and consensus address, or change its address; it gets the log first')
    .option('--nonvoter', 'without a vote: it gets the blocks, but neither votes nor leads')
    .action((id: string, address: string, options: ClusterOptions & { nonvoter?: true }) =>
      operate(io, options, async (operation) => {
        requireAddress(address);
        const method = options.nonvoter ? 'conductor_addServerAsNonvoter' : 'conductor_addServerAsVoter';
        const isDone = (): boolean => false;
        await callLeader(operation, method, () => [id, address, 0], isDone);
        const after = await operation.until((view) => {
          const member = view.members.find((candidate) => candidate.id === id);
          if (!member || member.addr !== address || member.role === 'no member')
            return `${id} is no member yet`;
          if (!options.nonvoter && member.role !== 'voter') return `${id} is no voter yet`;
          if (!member.status) return `${id} is a ${member.role}, but does not answer: ${member.silence}`;
          return disagreement(view, (seen) => seen.includes(id), `that ${id} is a member`);
        });
        operation.done(`${id} at ${address} is a ${memberOf(after, id).role}; ${membersText(after)}`);
      }),
    );
};

/** `baton remove <id>` */
export const addRemove: AddCommand = (program, io) => {
  clusterCommand(program, io, 'remove <id>')
    .description('remove a member for good; the leader may be removed, too')
    .option('--force', 'even if too few of the remaining voters answer: commits wait until they do')
    .action((id: string, options: ClusterOptions & { force?: true }) =>
      operate(io, options, async (operation) => {
        const before = await operation.cluster.view();
        if (memberOf(before, id).role === 'no member') {
          throw new CommandError('not-a-member', `${id} is not a member`);
        }
        if (!options.force) requireQuorumWithout(before, id);
        const isGone = (view: ClusterView): boolean =>
          leaders(view)[0] !== undefined &&
          !view.members.some((member) => member.id === id && member.role !== 'no member');
        // Without force, as op-conductor's clients call it: any version of the leader understands that.
        const params = options.force ? [id, 0, true] : [id, 0];
        await callLeader(operation, 'conductor_removeServer', () => params, isGone);
        const after = await operation.until((view) => {
          if (!isGone(view)) return `${id} is a member still, or the others have no leader yet`;
          return disagreement(view, (seen) => !seen.includes(id), `that ${id} is gone`);
        });
        operation.done(`${id} is not a member any more; ${membersText(after)}`);
      }),
    );
};

/** `baton replace <old> <new> <address>`: both or neither, so that the number of voters stays what it was. */
export const addReplace: AddCommand = (program, io) => {
  clusterCommand(program, io, 'replace <old> <new> <address>')
    .description('put a new node in the place of a voter, in one step; it gets the log first')
    .action((old: string, id: string, address: string, options: ClusterOptions) =>
      operate(io, options, async (operation) => {
        requireAddress(address);
        if (old === id) {
          throw new CommandError(
            'usage',
            `${id} cannot take its own place; for a new disk: baton add ${id} ${address}`,
          );
        }
        const isReplaced = (view: ClusterView): boolean =>
          leaders(view)[0] !== undefined && missingOfReplacement(view, old, id, address) === undefined;
        const before = await operation.cluster.view();
        if (!isReplaced(before) && memberOf(before, old).role !== 'voter') {
          throw new CommandError('not-a-voter', `${old} is no voter`);
        }
        await callLeader(operation, 'conductor_replaceServer', () => [old, id, address, 0], isReplaced);
        const after = await operation.until((view) => {
          const missing = missingOfReplacement(view, old, id, address);
          if (missing !== undefined) return missing;
          if (!leaders(view)[0]) return 'the others have no leader yet';
          const { status, silence } = memberOf(view, id);
          if (!status) return `${id} is a voter, but does not answer: ${silence}`;
          const knows = (seen: readonly string[]): boolean => seen.includes(id) && !seen.includes(old);
          return disagreement(view, knows, `that ${id} replaced ${old}`);
        });
        operation.done(`${id} at ${address} is a voter in place of ${old}; ${membersText(after)}`);
      }),
    );
};

function missingOfReplacement(
  { members }: ClusterView,
  old: string,
  id: string,
  address: string,
): string | undefined {
  const newcomer = members.find((member) => member.id === id);
  if (newcomer?.role !== 'voter' || newcomer.addr !== address) return `${id} is no voter at ${address} yet`;
  const left = members.find((member) => member.id === old);
  return left === undefined || left.role === 'no member' ? undefined : `${old} is a member still`;
}

function requireAddress(address: string): void {
  if (!parseHostPort(address)) {
    throw new CommandError('usage', `"${address}" is no consensus address such as 10.0.0.4:50050`);
  }
}

function requireQuorumWithout(view: ClusterView, id: string): void {
  const remaining = votersOf(view).filter((member) => member.id !== id);
  const { answering: alive, of, needed } = quorum(remaining);
  if (of === 0 || alive >= needed) return;
  throw new CommandError(
    'would-lose-quorum',
    `without ${id}, ${alive} of ${of} voters would answer, and ${needed} are needed`,
  );
}

/** A member that answers, but has not heard of the change yet. */
function disagreement(
  view: ClusterView,
  knows: (ids: readonly string[]) => boolean,
  what: string,
): string | undefined {
  const late = answering(view).find(
    ({ role, status }) =>
      role !== 'no member' && !knows(status.membership.servers.map((server) => server.id)),
  );
  return late && `${late.id} does not know yet ${what}`;
}

function membersText(view: ClusterView): string {
  const members = view.members.filter(({ role }) => role !== 'no member');
  const names = members.map(({ id, role }) => (role === 'voter' ? id : `${id} (no vote)`));
  return `members: ${names.join(', ')}; leader: ${leaders(view)[0]?.id ?? 'none'}`;
}
