import { CommandError } from './command-error.js';
import type { AddCommand, RunIo } from './command.js';
import { parseHostPort } from '../config/host-port.js';
import {
  callLeader,
  changingCommand,
  memberOf,
  operate,
  viewWithLeader,
  type ChangingOptions,
} from './cluster/cluster-command.js';
import { confirmed } from './confirmation.js';
import { requireQuorumWithout, requireToleranceWithout } from './tolerance-guard.js';
import { answering, leaders, type ClusterView, type Member } from '../verdict/cluster-view.js';
import { standingText } from '../verdict/standing-after.js';

/** `baton add <id> <address>`: adds a member that has the log and, by default, a vote. */
export const addAdd: AddCommand = (program, io) => {
  changingCommand(program, io, 'add <id> <address>')
    .description('add a member by its id and consensus address, or change its address; it gets the log first')
    .option('--nonvoter', 'without a vote: it gets the blocks, but neither votes nor leads')
    .action((id: string, address: string, options: ChangingOptions & { nonvoter?: true }) =>
      operate(io, options, async (operation) => {
        requireAddress(address);
        const { view: before } = await viewWithLeader(operation);
        if (!(await confirmed(io, planToAdd(before, id, address, options.nonvoter === true), options)))
          return;
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
        operation.done(
          `${id} at ${address} is a ${memberOf(after, id).role}; ${membersText(after)}`,
          membersData(after),
        );
      }),
    );
};

function planToAdd(view: ClusterView, id: string, address: string, nonvoter: boolean): string[] {
  const known = view.members.find((member) => member.id === id && member.role !== 'no member');
  const old =
    known && `${id} is a ${known.role} at ${known.addr} now; if its disk is another one, its old vote ends.`;
  return [
    `${id} at ${address} will get the log${nonvoter ? ', and no vote' : ', and then a vote'}.`,
    ...(old === undefined ? [] : [old]),
    standingText(view, nonvoter ? {} : { withVoter: id }),
  ];
}

/** `baton demote <id>`: a voter stays a member, but no longer votes or leads. */
export const addDemote: AddCommand = (program, io) => {
  losesVote(program, io, {
    usage: 'demote <id>',
    description: 'take the vote of a member, which goes on to get the blocks',
    method: 'conductor_demoteVoter',
    plan: (id) => `${id} will lose its vote. It stays a member and gets the blocks, but cannot lead.`,
    require: (member) => {
      if (member.role === 'voter') return;
      throw new CommandError('not-a-voter', `${member.id} has no vote`, 'baton status shows who votes');
    },
    isDone: (view, id) => view.members.find((member) => member.id === id)?.role === 'nonvoter',
    missing: (id) => `${id} is a voter still`,
    heard: (servers, id) => servers.some((server) => server.id === id && server.suffrage === 1),
    whatIsHeard: (id) => `that ${id} has no vote`,
    done: (id) => `${id} has no vote any more`,
  });
};

/** `baton remove <id>` */
export const addRemove: AddCommand = (program, io) => {
  losesVote(program, io, {
    usage: 'remove <id>',
    description: 'remove a member for good; the leader may be removed, too',
    method: 'conductor_removeServer',
    plan: (id) => `${id} will be removed for good: it gets no blocks any more, and cannot lead.`,
    require: (member) => {
      if (member.role === 'no member') throw new CommandError('not-a-member', `${member.id} is not a member`);
    },
    isDone: (view, id) => !view.members.some((member) => member.id === id && member.role !== 'no member'),
    missing: (id) => `${id} is a member still`,
    heard: (servers, id) => !servers.some((server) => server.id === id),
    whatIsHeard: (id) => `that ${id} is gone`,
    done: (id) => `${id} is not a member any more`,
  });
};

type Servers = NonNullable<Member['status']>['membership']['servers'];

/** The differences between `remove` and `demote`. */
interface VoteLoss {
  usage: string;
  description: string;
  method: string;
  plan: (id: string) => string;
  /** @throws CommandError if there is nothing to take from this member */
  require: (member: Member) => void;
  isDone: (view: ClusterView, id: string) => boolean;
  missing: (id: string) => string;
  /** Whether a member with this configuration knows about the change. */
  heard: (servers: Servers, id: string) => boolean;
  whatIsHeard: (id: string) => string;
  done: (id: string) => string;
}

function losesVote(program: Parameters<AddCommand>[0], io: RunIo, loss: VoteLoss): void {
  changingCommand(program, io, loss.usage)
    .description(loss.description)
    .option(
      '--force',
      'even if no voter may fail afterwards, or too few of the others answer: commits wait then',
    )
    .action((id: string, options: ChangingOptions & { force?: true }) =>
      operate(io, options, async (operation) => {
        loss.require(memberOf(await operation.cluster.view(), id));
        const { view: before } = await viewWithLeader(operation);
        const hasQuorum = requireQuorumWithout(before, id, options);
        requireToleranceWithout(before, id, options);
        const plan = [loss.plan(id), standingText(before, { without: id })];
        if (!(await confirmed(io, plan, options))) return;
        const isDone = (view: ClusterView): boolean =>
          leaders(view)[0] !== undefined && loss.isDone(view, id);
        // The call of op-conductor's clients, which any version understands, unless the leader would refuse it.
        const params = hasQuorum ? [id, 0] : [id, 0, true];
        await callLeader(operation, loss.method, () => params, isDone);
        const after = await operation.until((view) => {
          if (!isDone(view)) return `${loss.missing(id)}, or the others have no leader yet`;
          return disagreement(view, (_, servers) => loss.heard(servers, id), loss.whatIsHeard(id));
        });
        operation.done(`${loss.done(id)}; ${membersText(after)}`, membersData(after));
      }),
    );
}

/** `baton replace <old> <new> <address>`: both or neither, so that the number of voters does not change. */
export const addReplace: AddCommand = (program, io) => {
  changingCommand(program, io, 'replace <old> <new> <address>')
    .description('put a new node in the place of a voter, in one step; it gets the log first')
    .action((old: string, id: string, address: string, options: ChangingOptions) =>
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
        requireReplaceable(await operation.cluster.view(), old, id, address);
        const { view: before } = await viewWithLeader(operation);
        if (!isReplaced(before)) {
          const plan = [
            `${id} at ${address} will get the log, and then the vote of ${old}, which is a member no more.`,
            standingText(before, { without: old, withVoter: id }),
          ];
          if (!(await confirmed(io, plan, options))) return;
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
        const text = `${id} at ${address} is a voter in place of ${old}; ${membersText(after)}`;
        operation.done(text, membersData(after));
      }),
    );
};

/** A voter cannot get a second vote: the cluster would have one less. */
function requireReplaceable(view: ClusterView, old: string, id: string, address: string): void {
  if (missingOfReplacement(view, old, id, address) === undefined) return;
  if (memberOf(view, old).role !== 'voter') throw new CommandError('not-a-voter', `${old} is no voter`);
  if (view.members.find((member) => member.id === id)?.role !== 'voter') return;
  throw new CommandError('already-a-voter', `${id} is already a voter and cannot also replace ${old}`);
}

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

/** A member that answers, but does not know about the change yet. */
function disagreement(
  view: ClusterView,
  knows: (ids: readonly string[], servers: Servers) => boolean,
  what: string,
): string | undefined {
  const late = answering(view).find(
    ({ role, status: { membership } }) =>
      role !== 'no member' &&
      !knows(
        membership.servers.map((server) => server.id),
        membership.servers,
      ),
  );
  return late && `${late.id} does not know yet ${what}`;
}

function membersText(view: ClusterView): string {
  const members = view.members.filter(({ role }) => role !== 'no member');
  const names = members.map(({ id, role }) => (role === 'voter' ? id : `${id} (no vote)`));
  return `members: ${names.join(', ')}; leader: ${leaders(view)[0]?.id ?? 'none'}`;
}

function membersData(view: ClusterView): object {
  const members = view.members.filter(({ role }) => role !== 'no member');
  return {
    members: members.map(({ id, addr, role }) => ({ id, addr, role })),
    leader: leaders(view)[0]?.id ?? null,
  };
}
