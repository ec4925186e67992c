import { check } from '../../checks/violation.js';
import type { Evidence, Invariant } from './invariant.js';

/**
 * A disk is reported as having lost confirmed data only if it did. Overtaken answers, and crashes that lose only
 * unconfirmed data, raise no alarm.
 */
export function honestAlarms({ node: find }: Evidence): Invariant {
  /** Disks that went back to an older state. */
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
