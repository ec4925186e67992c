import type { LoadedEntry, Snapshot, StateMachine } from '../../raft/index.js';
import { ChainState, type CommittedBlock, type Verdict } from './chain-state.js';
import { decodeCommand, encodeCommand } from './log-command.js';

/** Tells the world about verdicts on apply; runs on every node. */
type OnApplied = (block: CommittedBlock, verdict: Verdict) => void;

interface AppliedBlock {
  block: CommittedBlock;
  replacesHead: string | undefined;
}

/**
 * The replicated chain: `live` is the state after everything applied, `base` the state at the snapshot. The
 * payloads between the two are in the log and nowhere else, so the log is the retained history.
 */
export class ChainStateMachine implements StateMachine<Verdict> {
  readonly live = new ChainState();
  private base = new ChainState();
  /** Commands after the snapshot, without their payloads. */
  private sinceBase: AppliedBlock[] = [];
  /** The head at the snapshot with its payload, which the log no longer has. */
  private baseHead: { block: CommittedBlock; ssz: Buffer; snapshot: Uint8Array } | undefined;

  constructor(private readonly onApplied: OnApplied) {}

  apply(entry: LoadedEntry): Verdict {
    const { payload, replacesHead } = decodeCommand(entry.data);
    const block = { ...payload.ref, logIndex: entry.index, byteLength: payload.ssz.length };
    this.sinceBase.push({ block, replacesHead });
    const verdict = this.live.apply(block, replacesHead);
    this.onApplied(block, verdict);
    return verdict;
  }

  async snapshotAt(index: number, read: (index: number) => Promise<LoadedEntry>): Promise<Uint8Array> {
    const passed = this.sinceBase.findIndex(({ block }) => block.logIndex > index);
    const until = passed < 0 ? this.sinceBase.length : passed;
    const { base } = this;
    for (const { block, replacesHead } of this.sinceBase.splice(0, until)) {
      base.apply(block, replacesHead);
    }
    const { head } = base;
    if (head && head !== this.baseHead?.block) {
      const { data } = await read(head.logIndex);
      // The snapshot of another node that was installed meanwhile is the newer state.
      if (base !== this.base) return Buffer.alloc(0);
      // A copy, or the whole cached entry would stay in memory with it.
      const copy = encodeCommand({ payload: decodeCommand(data).payload, replacesHead: undefined });
      this.baseHead = { block: head, ssz: decodeCommand(copy).payload.ssz, snapshot: copy };
    }
    base.reset(head);
    this.live.dropUpTo(index);
    return this.baseHead?.snapshot ?? Buffer.alloc(0);
  }

  /** @throws StorageError `newer-format` */
  restore({ index, data }: Snapshot): void {
    const payload = data.length > 0 ? decodeCommand(data).payload : undefined;
    const block = payload && { ...payload.ref, logIndex: index, byteLength: payload.ssz.length };
    this.baseHead = block && { block, ssz: payload.ssz, snapshot: data };
    this.base = new ChainState();
    this.base.reset(block);
    this.live.reset(block);
    this.sinceBase = [];
  }

  /** The payload at the snapshot, when `block` is that one. */
  baseHeadPayload(block: CommittedBlock): Buffer | undefined {
    return this.baseHead?.block.hash === block.hash ? this.baseHead.ssz : undefined;
  }
}
