import type { LoadedEntry, Snapshot, StateMachine } from '../../raft/index.js';
import { ChainState, type CommittedBlock, type CommittedHead, type Verdict } from './chain-state.js';
import { ClusterRecords, type JournalEntry, type RecordVerdict } from './cluster-records.js';
import { decodeChainCommand, encodeCommand } from './log-command.js';
import {
  applyTo,
  headOf,
  logIndexOf,
  readChainCommand,
  readCommand,
  type LoggedCommand,
} from './logged-command.js';
import { NO_MAINTENANCE } from './maintenance.js';
import { decodeSnapshot, encodeSnapshot } from './state-snapshot.js';

/** What a command of the log has done, to the chain or as a record. */
export type CommandVerdict = Verdict | RecordVerdict;

/** Told each verdict on apply, with the block that would be the head. Runs on every node. */
type OnApplied = (head: CommittedHead, verdict: Verdict) => void;

/** Told each record that was applied for the first time. Runs on every node. */
type OnRecorded = (entry: JournalEntry) => void;

/** The command that made the head at the snapshot, which the log no longer has. */
interface BaseHead {
  head: CommittedHead;
  /** Undefined after a reset. */
  ssz: Buffer | undefined;
  command: Uint8Array;
}

/** The state at the snapshot. */
interface Base {
  chain: ChainState;
  records: ClusterRecords;
}

const EMPTY = Buffer.alloc(0);

/**
 * The replicated chain. `live` is the state after everything applied, `base` the state at the snapshot. The payloads
 * between the two are only in the log, so the log is the retained history. The records are part of both states.
 */
export class ChainStateMachine implements StateMachine<CommandVerdict> {
  readonly live = new ChainState();
  readonly records = new ClusterRecords();
  /** Of the newest command that is in this state. */
  appliedIndex = 0;
  private base: Base = { chain: new ChainState(), records: new ClusterRecords() };
  /** Commands after the snapshot. */
  private sinceBase: LoggedCommand[] = [];
  private baseHead: BaseHead | undefined;

  constructor(
    private readonly onApplied: OnApplied,
    private readonly onRecorded: OnRecorded = () => undefined,
  ) {}

  apply(entry: LoadedEntry): CommandVerdict {
    const command = readCommand(entry.data, entry.index);
    this.sinceBase.push(command);
    this.appliedIndex = entry.index;
    if ('record' in command) {
      const verdict = this.records.apply(command.record, command.logIndex);
      if (!verdict.isRepeated) this.onRecorded(command);
      return verdict;
    }
    const verdict = applyTo(this.live, command);
    this.onApplied(headOf(command), verdict);
    return verdict;
  }

  async snapshotAt(index: number, read: (index: number) => Promise<LoadedEntry>): Promise<Uint8Array> {
    const passed = this.sinceBase.findIndex((command) => logIndexOf(command) > index);
    const until = passed < 0 ? this.sinceBase.length : passed;
    const { base } = this;
    for (const command of this.sinceBase.splice(0, until)) {
      if ('record' in command) base.records.apply(command.record, command.logIndex);
      else applyTo(base.chain, command);
    }
    const { head } = base.chain;
    // What is applied from here on does not belong to it.
    const records = base.records.state();
    if (head && head !== this.baseHead?.head) {
      const { data } = await read(head.logIndex);
      // A snapshot of another node was installed meanwhile and is newer.
      if (base !== this.base) return EMPTY;
      // A copy, because otherwise the whole cached entry would stay in memory.
      this.baseHead = baseHeadFrom(head, copyOf(data));
    }
    base.chain.startFrom(head);
    this.live.dropUpTo(index, this.baseHead?.head.hash);
    return encodeSnapshot(this.baseHead?.command ?? EMPTY, records);
  }

  /** @throws StorageError `newer-format` */
  restore({ index, data }: Snapshot): void {
    const { head: command, records = { journal: [], maintenance: NO_MAINTENANCE } } = decodeSnapshot(data);
    const head = command.length > 0 ? headOf(readChainCommand(command, index)) : undefined;
    this.baseHead = head && baseHeadFrom(head, command);
    this.base = { chain: new ChainState(), records: new ClusterRecords() };
    this.base.chain.startFrom(head);
    this.base.records.startFrom(records);
    this.live.startFrom(head);
    this.records.startFrom(records);
    this.sinceBase = [];
    this.appliedIndex = index;
  }

  /** The payload at the snapshot, if it belongs to `block`. */
  baseHeadPayload(block: CommittedBlock): Buffer | undefined {
    return this.baseHead?.head.hash === block.hash ? this.baseHead.ssz : undefined;
  }
}

function baseHeadFrom(head: CommittedHead, command: Uint8Array): BaseHead {
  return { head, ssz: decodeChainCommand(command).payload?.ssz, command };
}

/** The block of a snapshot replaces nothing: it is the head from the start. */
function copyOf(data: Uint8Array): Buffer {
  const command = decodeChainCommand(data);
  return encodeCommand(command.reset ? command : { payload: command.payload, replacesHead: undefined });
}
