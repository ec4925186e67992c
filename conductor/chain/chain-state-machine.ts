import type { LoadedEntry, Snapshot, StateMachine } from '../../raft/index.js';
import { applyTo, headOf, readCommand, type LoggedCommand } from './logged-command.js';
import { ChainState, type CommittedBlock, type CommittedHead, type Verdict } from './chain-state.js';
import { decodeCommand, encodeCommand } from './log-command.js';

/** Told each verdict on apply, with the block that would be the head. Runs on every node. */
type OnApplied = (head: CommittedHead, verdict: Verdict) => void;

/** The command that made the head at the snapshot, which the log no longer has. */
interface BaseHead {
  head: CommittedHead;
  /** Undefined after a reset. */
  ssz: Buffer | undefined;
  snapshot: Uint8Array;
}

/**
 * The replicated chain. `live` is the state after everything applied, `base` the state at the snapshot. The payloads
 * between the two are only in the log, so the log is the retained history.
 */
export class ChainStateMachine implements StateMachine<Verdict> {
  readonly live = new ChainState();
  private base = new ChainState();
  /** Commands after the snapshot. */
  private sinceBase: LoggedCommand[] = [];
  private baseHead: BaseHead | undefined;

  constructor(private readonly onApplied: OnApplied) {}

  apply(entry: LoadedEntry): Verdict {
    const command = readCommand(entry.data, entry.index);
    this.sinceBase.push(command);
    const verdict = applyTo(this.live, command);
    this.onApplied(headOf(command), verdict);
    return verdict;
  }

  async snapshotAt(index: number, read: (index: number) => Promise<LoadedEntry>): Promise<Uint8Array> {
    const passed = this.sinceBase.findIndex((command) => headOf(command).logIndex > index);
    const until = passed < 0 ? this.sinceBase.length : passed;
    const { base } = this;
    for (const command of this.sinceBase.splice(0, until)) applyTo(base, command);
    const { head } = base;
    if (head && head !== this.baseHead?.head) {
      const { data } = await read(head.logIndex);
      // A snapshot of another node was installed meanwhile and is newer.
      if (base !== this.base) return Buffer.alloc(0);
      // A copy, because otherwise the whole cached entry would stay in memory.
      this.baseHead = baseHeadFrom(head, copyOf(data));
    }
    base.startFrom(head);
    this.live.dropUpTo(index, this.baseHead?.head.hash);
    return this.baseHead?.snapshot ?? Buffer.alloc(0);
  }

  /** @throws StorageError `newer-format` */
  restore({ index, data }: Snapshot): void {
    const head = data.length > 0 ? headOf(readCommand(data, index)) : undefined;
    this.baseHead = head && baseHeadFrom(head, data);
    this.base = new ChainState();
    this.base.startFrom(head);
    this.live.startFrom(head);
    this.sinceBase = [];
  }

  /** The payload at the snapshot, if it belongs to `block`. */
  baseHeadPayload(block: CommittedBlock): Buffer | undefined {
    return this.baseHead?.head.hash === block.hash ? this.baseHead.ssz : undefined;
  }
}

function baseHeadFrom(head: CommittedHead, snapshot: Uint8Array): BaseHead {
  return { head, ssz: decodeCommand(snapshot).payload?.ssz, snapshot };
}

/** The block of a snapshot replaces nothing: it is the head from the start. */
function copyOf(data: Uint8Array): Buffer {
  const command = decodeCommand(data);
  return encodeCommand(command.reset ? command : { payload: command.payload, replacesHead: undefined });
}
