import type { NodeId } from '../../../core/configuration.js';
import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/** Part of I24: a leader gives no two followers the same rank, or their elections would collide. */
export function distinctRanks(): Invariant {
  return {
    stepped({ node, ctx, outputs }) {
      let ranked: Map<string, NodeId> | undefined;
      for (const output of outputs) {
        if (output.type !== 'send' || output.message.type !== 'heartbeat') continue;
        const { to, message } = output;
        if (!ctx.isVoter(to)) continue;
        ranked ??= new Map();
        const key = `${message.round} ${message.rank}`;
        const other = ranked.get(key);
        check(
          other === undefined || other === to,
          'I24',
          () => `${node.id} gives rank ${message.rank} to ${other} and to ${to}`,
        );
        ranked.set(key, to);
      }
    },
  };
}
