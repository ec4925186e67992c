import type { Applied } from '../ledger.js';
import { broken, type Invariant } from './invariant.js';

/** Every node makes the same of the log: the same entries, and after each of them the same committed head. */
export class OneState implements Invariant {
  readonly name = 'one-state';

  applied(nodeId: string, applied: Applied, first: Applied): void {
    const [own, others] = [describe(applied), describe(first)];
    if (own !== others)
      broken(this, `${nodeId} makes of entry ${applied.index}: ${own}; another node: ${others}`);
  }
}

const describe = ({ term, block, verdict, head }: Applied): string =>
  `term ${term}, block ${block?.hash ?? 'none'}, ${verdict}, head ${head?.hash ?? 'none'}`;
