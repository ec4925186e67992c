import { chainHash } from '../../../core/chain-hash.js';
import type { Entry } from '../../../core/entries.js';
import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

const TERMS_MAX = 2 ** 20;

/**
 * I3 Log Matching (Raft thesis fig. 3.2): entries with equal index and term are equal, and so is everything before them.
 * The chain hash of an entry covers everything before it, so each new entry needs one comparison.
 */
export function logMatching(): Invariant {
  const known = new Map<number, Entry>();
  return {
    stepped({ node, ctx, change }) {
      if (!change) return;
      const { log } = ctx;
      for (let index = change.from; index <= change.to; index++) {
        const entry = log.get(index);
        check(entry?.index === index, 'I3', () => `${node.id} has no entry ${index}, but later ones`);
        const follows = chainHash(log.hashAt(index - 1) ?? NaN, entry);
        check(entry.chainHash === follows, 'I3', () => `${node.id}: the hash chain breaks at entry ${index}`);
        const previousTerm = log.termAt(index - 1) ?? 0;
        check(entry.term >= previousTerm, 'I3', () => `${node.id}: the term falls at entry ${index}`);
        check(entry.term <= ctx.term, 'I3', () => `${node.id}: entry ${index} is of a future term`);
        const twin = known.get(index * TERMS_MAX + entry.term);
        if (!twin) {
          known.set(index * TERMS_MAX + entry.term, { ...entry });
          continue;
        }
        check(
          twin.chainHash === entry.chainHash && twin.crc === entry.crc && twin.kind === entry.kind,
          'I3',
          () => `entry ${index} of term ${entry.term} on ${node.id} differs from that of another node`,
        );
      }
    },
  };
}
