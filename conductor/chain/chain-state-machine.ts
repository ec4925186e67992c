import type { LoadedEntry, Snapshot, StateMachine } from '../../raft/index.js';
import { readRef } from '../../rpc/payload/read-ref.js';
import { ChainState, type CommittedBlock, type Verdict } from './chain-state.js';
import { decodeCommand } from './log-command.js';

/** Tells the world about verdicts on apply; runs on every node. */
export type OnApplied = (block: CommittedBlock, verdict: Verdict) => void;

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
  private readonly base = new ChainState();
  /** Commands after the snapshot, without their payloads. */
  private sinceBase: AppliedBlock[] = [];
  /** SSZ of the head at the snapshot; the log no longer has it. */
  private baseHeadSsz: Buffer | undefined;
  private baseHeadIndex = 0;

  constructor(private readonly onApplied: OnApplied) {}

  apply(entry: LoadedEntry): Verdict {
    const { payload, replacesHead } = decodeCommand(entry.data);
    const block = { ...payload.ref, logIndex: entry.index, byteLength: payload.ssz.length };
    this.sinceBase.push({ block, replacesHead });
    const verdict = this.live.apply(block, replacesHead);
    this.onApplied(block, verdict);
    return verdict;
  }

  async snapshotAt(index: number, read: (index: number) => Promise<LoadedEntry>): Promise<Buffer> {
    const passed = this.sinceBase.findIndex(({ block }) => block.logIndex > index);
    const until = passed < 0 ? this.sinceBase.length : passed;
    for (const { block, replacesHead } of this.sinceBase.splice(0, until)) {
      this.base.apply(block, replacesHead);
    }
    const head = this.base.head;
    if (head && head.logIndex > this.baseHeadIndex) {
      // A copy, or the whole cached entry would stay in memory with it.
      this.baseHeadSsz = Buffer.from(decodeCommand((await read(head.logIndex)).data).payload.ssz);
    }
    this.base.reset(head);
    this.baseHeadIndex = head?.logIndex ?? 0;
    this.live.dropUpTo(index);
    return this.baseHeadSsz ?? Buffer.alloc(0);
  }

  restore(snapshot: Snapshot): void {
    const ssz = Buffer.from(snapshot.data);
    const head =
      ssz.length > 0 ? { ...readRef(ssz), logIndex: snapshot.index, byteLength: ssz.length } : undefined;
    this.baseHeadSsz = head ? ssz : undefined;
    this.baseHeadIndex = snapshot.index;
    this.base.reset(head);
    this.live.reset(head);
    this.sinceBase = [];
  }

  /** The payload at the snapshot, when `block` is that one. */
  baseHeadPayload(block: CommittedBlock): Buffer | undefined {
    return this.base.head?.hash === block.hash ? this.baseHeadSsz : undefined;
  }
}
