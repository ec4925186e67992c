import type { LoadedEntry, LogVisitor, Snapshot } from '../../../raft/index.js';
import type { CommittedHead } from '../../chain/chain-state.js';
import { ChainStateMachine } from '../../chain/chain-state-machine.js';
import type { RecordsState } from '../../chain/cluster-records.js';

interface BlockSummary {
  number: number;
  hash: string;
  logIndex: number;
}

/** The account of the chain in a log, found by applying all of it as a node would. */
export class ChainSummary implements LogVisitor {
  private readonly machine = new ChainStateMachine(() => undefined);
  /** Why an entry could not be read; entries after it do not count. */
  problem: string | undefined;

  snapshot(snapshot: Snapshot): void {
    this.attempt(() => this.machine.restore(snapshot));
  }

  entry(entry: LoadedEntry): void {
    if (entry.kind === 'command') this.attempt(() => void this.machine.apply(entry));
  }

  get head(): BlockSummary | null {
    return summary(this.machine.live.head);
  }

  get oldest(): BlockSummary | null {
    return summary(this.machine.live.oldest);
  }

  /** The decisions of operators and the events, from records. */
  get records(): RecordsState {
    return this.machine.records.state();
  }

  private attempt(action: () => void): void {
    if (this.problem !== undefined) return;
    try {
      action();
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }
}

function summary(block: CommittedHead | undefined): BlockSummary | null {
  return block ? { number: block.number, hash: block.hash, logIndex: block.logIndex } : null;
}
