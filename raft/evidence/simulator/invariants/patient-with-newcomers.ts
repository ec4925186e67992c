import type { NodeId } from '../../../core/configuration.js';
import { PROBATION_IN_TIMEOUTS } from '../../../core/membership.js';
import { voterSets, hasQuorum, type VoterSets } from '../../../core/quorum.js';
import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/** What an observer knows of one leadership. */
interface Leadership {
  term: number;
  /** Send time by round of heartbeats. */
  sentAtMs: Map<number, number>;
  /** By follower: send time of the newest round that it answered. */
  answeredMs: Map<NodeId, number>;
  voters: VoterSets;
  /** The voters before its last change of the configuration, if that change removed none. */
  change: { index: number; atMs: number; before: VoterSets } | undefined;
}

/**
 * I22, for changes of membership: while a change is undecided, a leader that hears from a quorum of the previous voters
 * does not step down because the new ones are slow. The outcome of the change would be unknown, and nobody would gain.
 */
export function patientWithNewcomers(): Invariant {
  const leaderships = new Map<NodeId, Leadership>();
  return {
    stepped({ node, ctx, input, outputs, before }) {
      const known = leaderships.get(node.id);
      if (ctx.role !== 'leader') {
        leaderships.delete(node.id);
        if (!known || known.term !== ctx.term) return;
        const lostTouch = outputs.some(
          (output) =>
            output.type === 'event' &&
            output.event.type === 'role' &&
            output.event.reason === 'no contact with a quorum',
        );
        const { change, answeredMs } = known;
        if (!lostTouch || !change || change.index <= ctx.commit) return;
        const { electionTimeoutMs, leaseTimeoutMs } = ctx.timing;
        if (input.now >= change.atMs + PROBATION_IN_TIMEOUTS * electionTimeoutMs) return;
        const answers = (id: NodeId): boolean =>
          id === node.id || (answeredMs.get(id) ?? -Infinity) > input.now - leaseTimeoutMs;
        check(
          !hasQuorum(change.before, answers),
          'I22',
          () => `${node.id} gives up because new voters of configuration ${change.index} do not answer yet`,
        );
        return;
      }
      const { index, configuration } = ctx.configurations.latest;
      let leadership = known;
      if (!leadership || before.role !== 'leader' || leadership.term !== ctx.term) {
        const voters = voterSets(configuration);
        leadership = {
          term: ctx.term,
          sentAtMs: new Map(),
          answeredMs: new Map(),
          voters,
          change: undefined,
        };
        leaderships.set(node.id, leadership);
      }
      for (const output of outputs) {
        if (output.type === 'event' && output.event.type === 'configuration') {
          const voters = voterSets(configuration);
          const isGrowth = leadership.voters.every((set) => set.every((id) => voters[0]?.includes(id)));
          leadership.change = isGrowth ? { index, atMs: input.now, before: leadership.voters } : undefined;
          leadership.voters = voters;
        }
        if (output.type === 'send' && output.message.type === 'heartbeat') {
          leadership.sentAtMs.set(output.message.round, input.now);
        }
      }
      if (input.type !== 'message' || input.message.type !== 'heartbeatResponse') return;
      const sentAtMs = leadership.sentAtMs.get(input.message.round);
      if (sentAtMs === undefined || input.message.term !== ctx.term || input.message.reverted) return;
      const { answeredMs } = leadership;
      answeredMs.set(input.from, Math.max(answeredMs.get(input.from) ?? -Infinity, sentAtMs));
    },
  };
}
