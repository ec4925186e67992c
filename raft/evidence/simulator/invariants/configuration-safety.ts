import {
  decodeConfiguration,
  type Configuration,
  type IndexedConfiguration,
  type NodeId,
} from '../../../core/configuration.js';
import type { CoreContext } from '../../../core/context.js';
import { quorumsOf } from '../../checks/quorums.js';
import { check } from '../../checks/violation.js';
import type { ObservedNode } from '../observed-node.js';
import type { Evidence, Invariant, Step } from './invariant.js';

/**
 * I13 Configuration safety (Raft thesis §4.1, Ongaro 2015): one change at a time, two neighbouring configurations cannot
 * make separate decisions, and every node uses the newest configuration of its own log.
 */
export function configurationSafety({ ledger }: Evidence): Invariant {
  const lastChecked = new Map<NodeId, IndexedConfiguration>();

  function checkInUse(node: ObservedNode, ctx: CoreContext, newestInLog: number | undefined): void {
    const { latest } = ctx.configurations;
    const expected = newestInLog ?? ledger.at(ctx.log.snapshotIndex)?.configurationIndex;
    check(
      latest.index === expected,
      'I13',
      () => `${node.id} uses configuration ${latest.index}, the newest of its log is ${expected}`,
    );
    if (lastChecked.get(node.id) === latest || latest.index === 0) return;
    lastChecked.set(node.id, latest);
    const data = node.dataOf(ctx, latest.index) ?? ledger.at(latest.index)?.data;
    check(
      data !== undefined &&
        JSON.stringify(sorted(decodeConfiguration(data))) === JSON.stringify(sorted(latest.configuration)),
      'I13',
      () => `${node.id} uses another configuration than entry ${latest.index} holds`,
    );
  }

  function checkAppended({ node, process, ctx, before, change }: Step): void {
    const indexes = process.log.configurationIndexes;
    const newest = indexes.at(-1);
    if (!change || newest === undefined || newest < change.from) return;
    const pending = indexes.filter((index) => index > ledger.lastIndex);
    check(
      pending.length <= 1,
      'I13',
      () => `${node.id} has uncommitted configurations ${pending.join(', ')}`,
    );
    const previous = ctx.configurations.at(newest - 1);
    const [old, now] = [previous, ctx.configurations.latest].map(({ configuration }) =>
      quorumsOf(configuration).map((voters) => voters.map(({ id }) => id)),
    ) as [NodeId[][], NodeId[][]];
    check(
      previous.index === 0 || old.some((a) => now.some((b) => overlap(a, b))),
      'I13',
      () => `voters ${old.join(' and ')} could decide apart from ${now.join(' and ')}`,
    );
    if (before.role !== 'leader' || ctx.term !== before.term) return;
    check(
      ledger.at(ctx.commit)?.term === ctx.term,
      'I13',
      () => `${node.id} changes the membership before it committed anything in term ${ctx.term}`,
    );
  }

  return {
    started(node) {
      const { process } = node;
      if (process) checkInUse(node, process.ctx, process.log.configurationIndexes.at(-1));
    },
    stepped(step) {
      checkInUse(step.node, step.ctx, step.process.log.configurationIndexes.at(-1));
      checkAppended(step);
    },
  };
}

/** By definition: no majority of one is disjoint from a majority of the other. */
function overlap(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  const common = a.filter((id) => b.includes(id)).length;
  const majority = (count: number): number => Math.floor(count / 2) + 1;
  // The two smallest majorities overlap least: each takes its private members first.
  const needFromCommon = (voters: readonly NodeId[]): number =>
    Math.max(0, majority(voters.length) - (voters.length - common));
  return needFromCommon(a) + needFromCommon(b) > common;
}

const sorted = ({ members, joint }: Configuration) => ({
  members: members.map(({ id, address, voter }) => `${id} ${address} ${voter}`).sort(),
  voters: [...(joint?.voters ?? [])].sort(),
  leaving: [...(joint?.leaving ?? [])].sort(),
});
