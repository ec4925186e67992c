import { nameOf, type Block } from '../chain/block-store.js';
import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/**
 * A sequencer is started only on the committed head, because a block that it builds elsewhere contradicts what is
 * committed. With an empty log, the chain from before this log counts.
 */
export class StartedOnCommitted implements Invariant {
  readonly name = 'started-on-committed';

  constructor(private readonly evidence: Evidence) {}

  started({ nodeId, committedHead }: Observed, head: Block): void {
    const { blocks, ledger } = this.evidence;
    const wanted = committedHead ?? ledger.highest?.block;
    const block = wanted && blocks.get(wanted.hash);
    if (!block || blocks.isOn(head, block)) return;
    const whose = committedHead ? 'the committed head is' : 'the log is empty and the chain goes up to';
    broken(this, `${nodeId} starts its sequencer on ${nameOf(head)}, while ${whose} ${nameOf(block)}`);
  }
}
