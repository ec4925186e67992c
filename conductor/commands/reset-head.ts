import { InvalidArgumentError } from 'commander';
import type { ResetRequest } from '../chain/reset.js';
import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import {
  callLeader,
  clusterCommand,
  operate,
  viewWithLeader,
  whoIsAsking,
  type ChangingOptions,
} from './cluster/cluster-command.js';
import { confirmed, withChangeOptions } from './confirmation.js';
import { leaders, type ClusterView, type Member } from '../verdict/cluster-view.js';
import { standingText } from '../verdict/standing-after.js';

type BlockId = ResetRequest['to'];

type Options = ChangingOptions & { to: BlockId; reason: string };

/** `baton reset-head`: an emergency command that takes back committed blocks. */
export const addResetHead: AddCommand = (program, io) => {
  withChangeOptions(clusterCommand(program, io, 'reset-head'))
    .description('take the committed head of the cluster back to an ancestor: published blocks are given up')
    .requiredOption('--to <number:hash>', 'the block that is to be the head', readBlock)
    .requiredOption('--reason <text>', 'why; it goes into the log of every member, with your name')
    .action(({ to, ...options }: Options) =>
      operate(io, options, async (operation) => {
        const { view, leader } = await viewWithLeader(operation);
        const from = leader.status.head;
        const isDone = (seen: ClusterView): boolean => isHead(to, leaders(seen)[0]?.status.head);
        if (isDone(view)) return operation.done(`${shown(to)} is the committed head already`);
        if (!from || to.number >= from.number) {
          const found = from ? shown(from) : 'none';
          throw new CommandError('usage', `the committed head is ${found}: ${shown(to)} is not below it`);
        }
        if (!(await confirmed(io, rehearsal(view, from, to), options))) return;
        const params = [to.number, to.hash, `${whoIsAsking(io)}: ${options.reason}`, from.hash];
        await callLeader(operation, 'conductor_resetHead', () => params, isDone);
        operation.done(`the committed head is ${shown(to)}, it was ${shown(from)}`, {
          head: to,
          before: from,
        });
      }),
    );
};

function rehearsal(view: ClusterView, from: BlockId, to: BlockId): string[] {
  const count = from.number - to.number;
  const blocks = count === 1 ? '1 committed block' : `${count} committed blocks`;
  return [
    `from  ${shown(from)}`,
    `to    ${shown(to)}`,
    `${blocks} would be given up. Their sequencers were told that they are committed, and may have published them.`,
    ...view.members.map((member) => `${member.id}: ${clientOf(member, from, to)}`),
    standingText(view),
  ];
}

/** The head of a member's execution client. */
function clientOf({ status, silence }: Member, from: BlockId, to: BlockId): string {
  if (!status) return `no answer: ${silence}`;
  const { head } = status.node;
  if (!head) return `its execution client does not answer: ${status.node.reason}`;
  const known: [BlockId, string][] = [
    [from, 'the present committed head'],
    [to, 'the new head'],
  ];
  const what = known.find(([block]) => isHead(block, head))?.[1] ?? relation(head.number, to.number);
  return `its execution client is at ${shown(head)}, ${what}`;
}

function relation(number: number, to: number): string {
  if (number === to) return 'another block than the new head';
  return number > to ? `${number - to} above the new head` : `${to - number} below the new head`;
}

const isHead = (wanted: BlockId, head: BlockId | null | undefined): boolean =>
  head?.number === wanted.number && head.hash === wanted.hash;

const shown = ({ number, hash }: BlockId): string => `block ${number} ${hash}`;

function readBlock(text: string): BlockId {
  const [, number, hash] = /^(\d{1,15}):(0x[0-9a-fA-F]{64})$/.exec(text) ?? [];
  if (number === undefined || hash === undefined) {
    throw new InvalidArgumentError('Expected height and hash of a block, such as 4711:0x….');
  }
  return { number: Number(number), hash: hash.toLowerCase() };
}
