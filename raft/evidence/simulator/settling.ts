import type { CoreContext } from '../../core/context.js';
import { votersOf } from '../checks/quorums.js';
import { check } from '../checks/violation.js';
import type { SimulatedNode } from './node.js';
import type { World } from './world.js';

export function contextOf(node: SimulatedNode): CoreContext {
  check(node.process !== null, 'I20', () => `${node.id} does not run`);
  return node.process.ctx;
}

/** No healthy cluster takes this many steps to recover. A core in an endless loop does. */
const STEPS_MAX = 50_000;

/** Runs until the condition holds. False when the bound passes first. */
export function runUntil(world: World, holds: () => boolean, withinMs: number): boolean {
  const { queue } = world;
  const endMs = queue.nowMs + withinMs;
  const stepsMax = world.steps + STEPS_MAX;
  const everyMs = world.options.timing.heartbeatIntervalMs / 4;
  for (let pollMs = queue.nowMs; ;) {
    if (queue.nowMs >= pollMs) {
      if (holds()) return true;
      pollMs = queue.nowMs + everyMs;
    }
    if (queue.nowMs >= endMs || world.steps >= stepsMax || !queue.runNext()) return false;
  }
}

/** The only leader, when all nodes agree. */
export function settledLeader(world: World, core: readonly SimulatedNode[]): SimulatedNode | undefined {
  const leaders = core.filter((node) => node.leads);
  const [leader] = leaders;
  if (leaders.length !== 1 || !leader) return undefined;
  const ctx = contextOf(leader);
  const { members, joint } = ctx.configurations.latest.configuration;
  const followers = core.filter(({ incarnation }) =>
    members.some((member) => member.incarnation === incarnation),
  );
  const converged = followers.every((node) => {
    const { log, commit, applied, leader: known } = contextOf(node);
    return (
      known === leader.id &&
      log.lastHash === ctx.log.lastHash &&
      commit === log.lastIndex &&
      applied === commit
    );
  });
  // A replacement is completed by the current leader.
  return ctx.leadership?.ready && !ctx.leadership.transfer && !joint && converged ? leader : undefined;
}

export function describe(nodes: readonly SimulatedNode[]): string {
  return nodes
    .map((node) => {
      const { role, term, leader, log, commit, configurations } = contextOf(node);
      const voters = votersOf(configurations.latest.configuration)
        .map(({ id }) => id)
        .join('+');
      return `\n  ${node.id} ${role} t${term} leader ${leader ?? '-'} log ${log.snapshotIndex}…${log.lastIndex}:t${log.lastTerm} commit ${commit} voters ${voters}@${configurations.latest.index}`;
    })
    .join('');
}
