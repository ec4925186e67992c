import { check } from '../../checks/violation.js';
import { isKeptByMajority, type Evidence, type Invariant } from './invariant.js';

/**
 * I10 Nothing committed is lost (Raft thesis §3.6): after any crashes, the newest committed entry, and with it every
 * earlier one, is on the disks of a majority of the voters that committed it.
 */
export function nothingCommittedLost(evidence: Evidence): Invariant {
  const checkDisks = (): void => {
    const { last } = evidence.ledger;
    if (last.index === 0) return;
    check(
      isKeptByMajority(evidence, last),
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
