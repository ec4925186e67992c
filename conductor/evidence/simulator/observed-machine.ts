import type { CoreStatus, LoadedEntry, Snapshot, StateMachine } from '../../../raft/index.js';
import type { ChainStateMachine, CommandVerdict } from '../../chain/chain-state-machine.js';
import type { CommittedHead } from '../../chain/chain-state.js';

/** Observer of a conductor. */
export interface Watcher {
  /** `records`: everything that the node then has of records, if the entry is one. */
  applied(
    nodeId: string,
    entry: LoadedEntry,
    verdict: CommandVerdict,
    head: CommittedHead | undefined,
    records: string | undefined,
  ): void;
  role(nodeId: string, role: CoreStatus['role'], term: number): void;
  /** It stands for election because the process of its leader is gone. */
  leaderGone(nodeId: string, term: number): void;
  /** Two processes speak for a peer of this node. */
  identityUsedTwice(nodeId: string, peer: string): void;
  /** The control loop has learned that the sequencer was started. */
  startKnown(nodeId: string): void;
  /** The control loop has requested a transfer. */
  transferred(nodeId: string, success: boolean): void;
}

/** The chain of one node, which reports what it applies. */
export class ObservedMachine implements StateMachine<CommandVerdict> {
  constructor(
    private readonly machine: ChainStateMachine,
    private readonly nodeId: string,
    private readonly watcher: Watcher,
  ) {}

  apply(entry: LoadedEntry): CommandVerdict {
    const { machine } = this;
    const verdict = machine.apply(entry);
    const records = verdict.type === 'recorded' ? JSON.stringify(machine.records.state()) : undefined;
    this.watcher.applied(this.nodeId, entry, verdict, machine.live.head, records);
    return verdict;
  }

  snapshotAt(index: number, read: (index: number) => Promise<LoadedEntry>): Promise<Uint8Array> {
    return this.machine.snapshotAt(index, read);
  }

  restore(snapshot: Snapshot): void {
    this.machine.restore(snapshot);
  }
}
