import type { Applied } from '../ledger.js';
import { broken, type Invariant } from './invariant.js';

/** All nodes apply the same entries, and have the same committed head and records after each. */
export class OneState implements Invariant {
  readonly name = 'one-state';

  applied(nodeId: string, applied: Applied, first: Applied): void {
    const [own, others] = [describe(applied), describe(first)];
    if (own !== others)
      broken(this, `${nodeId} makes of entry ${applied.index}: ${own}; another node: ${others}`);
  }
}

const describe = ({ term, block, verdict, head, records }: Applied): string =>
  `term ${term}, block ${block?.hash ?? 'none'}, ${verdict}, head ${head?.hash ?? 'none'}` +
  (records === undefined ? '' : `, records ${records}`);
