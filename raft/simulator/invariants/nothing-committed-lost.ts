import { check } from '../violation.js';
import { isMajority, keepsCommitted, type Evidence, type Invariant } from './invariant.js';

/**
 * I10 Nothing committed is lost (thesis §3.6): whatever crashes, the newest committed entry, and with it every
 * earlier one, is on the disks of a majority of those that committed it.
 */
export function nothingCommittedLost({ ledger, node: find }: Evidence): Invariant {
  const checkDisks = (): void => {
    const { last } = ledger;
    if (last.index === 0) return;
    check(
      isMajority(last.voters, (id) => keepsCommitted(find(id), last.index, last.chainHash)),
      'I10',
      () => `committed entry ${last.index} is no longer on the disks of a majority`,
    );
  };
  return {
    crashed: checkDisks,
    written(_, write) {
      if (write.truncateFrom !== undefined || write.snapshot) checkDisks();
    },
  };
}
