import { check } from '../../checks/violation.js';
import type { Evidence, Invariant } from './invariant.js';

/**
 * A disk is accused of having lost what it confirmed only when it did: answers that were overtaken, and
 * crashes that lose nothing but what was not confirmed, raise no alarm.
 */
export function honestAlarms({ node: find }: Evidence): Invariant {
  /** Disks that were seen in an older state than before. */
  const older = new Set<string>();
  return {
    started(node) {
      if (node.wentBack) older.add(node.incarnation);
    },
    stepped({ node: speaker, ctx, outputs }) {
      for (const output of outputs) {
        if (output.type !== 'event' || output.event.type !== 'reverted') continue;
        const { node, acknowledged, found } = output.event;
        const progress = ctx.leadership?.progress.get(node);
        const { disk } = find(node);
        check(
          disk.lastIndex < acknowledged || older.has(progress?.incarnation ?? speaker.incarnation),
          'I25',
          () =>
            `${node} is said to have lost what it had up to ${acknowledged} (${found} is left); its disk has ${disk.lastIndex}`,
        );
      }
    },
  };
}
