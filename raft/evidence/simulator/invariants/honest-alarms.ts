import { check } from '../../checks/violation.js';
import type { Evidence, Invariant } from './invariant.js';

/**
 * A disk is accused of having lost what it confirmed only when it did (raft.md §5.4): answers that were overtaken, and
 * crashes that lose nothing but what was not confirmed, raise no alarm.
 */
export function honestAlarms({ node: find }: Evidence): Invariant {
  return {
    stepped({ outputs }) {
      for (const output of outputs) {
        if (output.type !== 'event' || output.event.type !== 'reverted') continue;
        const { node, acknowledged, found } = output.event;
        const { disk } = find(node);
        check(
          disk.lastIndex < acknowledged,
          'I25',
          () => `${node} is said to have lost ${found + 1}…${acknowledged}; its disk has ${disk.lastIndex}`,
        );
      }
    },
  };
}
