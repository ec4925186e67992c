import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/** I12 Pointer order: snapshot ≤ applied ≤ commit ≤ last, and the disk agrees with the memory. */
export function pointerOrder(): Invariant {
  return {
    stepped({ node, process, ctx }) {
      const { log, applied, commit, outbox } = ctx;
      check(
        log.snapshotIndex <= applied && applied <= commit && commit <= log.lastIndex,
        'I12',
        () =>
          `${node.id}: snapshot ${log.snapshotIndex}, applied ${applied}, commit ${commit}, last ${log.lastIndex}`,
      );
      const { index } = process.application;
      check(
        applied <= Math.max(index, log.snapshotIndex),
        'I12',
        () => `${node.id} believes ${applied} applied, the application is at ${index}`,
      );
      const { durableIndex } = outbox;
      if (durableIndex <= log.snapshotIndex || durableIndex <= node.disk.snapshotIndex) return;
      check(
        node.disk.hashAt(durableIndex) === log.hashAt(durableIndex),
        'I12',
        () => `${node.id} believes entry ${durableIndex} durable, its disk has another`,
      );
    },
  };
}
