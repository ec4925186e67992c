import {
  answering,
  committedHeight,
  lagBlocks,
  leaders,
  names,
  ofThisCluster,
  type Answering,
  type ClusterView,
} from './cluster-view.js';
import type { Finding } from './consensus-problems.js';
import { haltOf, haltText, type Halt } from './halt.js';
import type { ProblemCode } from './remedies.js';

/**
 * Blocks by which a node may be ahead of the committed head. Members answer one after the other, and blocks are
 * gossiped before every member has heard of their commit.
 */
const AHEAD_MAX = 2;

/** Checks that exactly the leader's sequencer runs, and publishes only committed blocks. */
export function sequencerProblems(view: ClusterView): Finding[] {
  const active = answering(view).filter(({ status }) => status.node.sequencerActive);
  const halt = haltOf(view);
  const who = halt ? whileHalted(halt, active) : [whoSequences(view, active)];
  return [...who, uncommitted(view, active)].flatMap((found) => found ?? []);
}

/** The chain is halted on purpose. A sequencer may still be at its last block. */
function whileHalted(halt: Halt, active: readonly Answering[]): Finding[] {
  return [
    { code: 'halted', member: null, message: `the cluster is halted${haltText(halt)}` },
    ...active.map(({ id }): Finding => {
      const message = `the sequencer of ${id} is active although the cluster is halted`;
      return { code: 'halt-ignored', member: id, message };
    }),
  ];
}

function whoSequences(view: ClusterView, active: readonly Answering[]): Finding | undefined {
  const [leader] = leaders(view);
  const [first] = active;
  const found = (code: ProblemCode, member: string | null, message: string): Finding => ({
    code,
    member,
    message,
  });
  if (active.length > 1) {
    return found('several-sequencers', null, `several sequencers are active: ${names(active)}`);
  }
  if (!leader || first === leader) return undefined;
  const { id, status } = leader;
  if (first) {
    const message = `the active sequencer is ${first.id}, not that of the leader ${id}`;
    return found('sequencer-elsewhere', first.id, message);
  }
  // It transfers leadership within a moment if any member can take it.
  if (status.witness) {
    return found(
      'witness-leads',
      id,
      `the leader ${id} is a witness, and no member with a node could take over`,
    );
  }
  const why = status.paused ? `${id} is paused` : status.node.startHeldBy;
  const message = `the sequencer of the leader ${id} is not active${why === '' ? '' : `: ${why}`}`;
  return found('sequencer-idle', id, message);
}

/** op-node asks its conductor before it publishes, unless it was told not to: then its head runs ahead. */
function uncommitted(view: ClusterView, active: readonly Answering[]): Finding | undefined {
  const committed = committedHeight(view);
  const [first] = active;
  if (committed === null) {
    return first && view.members.some(({ role }) => role !== 'no member')
      ? {
          code: 'nothing-committed',
          member: first.id,
          message: `the sequencer of ${first.id} is active, and no block was ever committed`,
        }
      : undefined;
  }
  const ahead = ofThisCluster(view).flatMap((member) => {
    const blocks = -(lagBlocks(view, member) ?? 0);
    return blocks > AHEAD_MAX ? [{ member, blocks }] : [];
  });
  if (ahead.length === 0) return undefined;
  const most = Math.max(...ahead.map(({ blocks }) => blocks));
  const who = names(ahead.map(({ member }) => member));
  return {
    code: 'uncommitted-blocks',
    member: first?.id ?? null,
    message: `the nodes of ${who} are up to ${most} blocks above the committed head ${committed}: blocks are published that are not committed`,
  };
}
