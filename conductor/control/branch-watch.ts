import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import type { BlockId, BlockRef } from '../../rpc/payload/block-ref.js';
import { Anchors } from './anchors.js';
import { ChainComparison, type Difference, type Relation } from './common-point.js';
import { Departure } from './departure.js';

/** The sources that the watch queries. */
export interface WatchedChains {
  execution: { blockByNumber(number: number, options: CallOptions): Promise<BlockRef | null> };
  history: { readonly head: BlockId | undefined; hashAt(number: number): string | undefined };
}

/** Result of a successful poll of the local node. */
export interface Sighting {
  /** Head of the execution client. */
  local: BlockId;
  /** The sequencer runs. */
  active: boolean;
  /** The committed head when the poll began. */
  committed: BlockId | undefined;
}

/** Whether the local chain is the committed one, as far as both reach. */
export type Branch = 'on' | 'other' | 'unknown';

/** Why a sequencer that ran before its node led must not make the first block of an empty log. */
export const HEADS_NOT_COMPARED =
  'nothing is committed yet, and the heads of the members have not been compared';

/** One look may fall between two steps of a reorganisation; two do not. */
const STRIKES = 2;
/**
 * A client that left by itself is left alone for this long: the others may be about to do the same, because op-nodes
 * look at L1 every 12 s.
 */
export const LEFT_ALONE_MS = 30_000;

/**
 * Compares the chain of the local execution client with the committed one at every successful poll: a sequencer that
 * builds on another chain would only collect refusals, and a standby on another branch cannot take over.
 */
export class BranchWatch {
  private readonly comparison: ChainComparison;
  private readonly anchors = new Anchors();
  private readonly departure = new Departure((block) => this.isCommitted(block));
  private difference: Difference | undefined;
  private differsFor = 0;
  private behind: { local: BlockId; committed: BlockId } | undefined;
  private behindFor = 0;
  private contradiction: string | undefined;
  private settled: Exclude<Branch, 'other'> = 'unknown';
  /** The chain has not been compared during this leadership yet. */
  private isFirstLook = false;
  /** Height that the local head must have reached while the sequencer runs: the head that it took over or started on. */
  private floor = 0;
  /** Grows when a comparison under way becomes meaningless. */
  private epoch = 0;

  constructor(private readonly chains: WatchedChains) {
    this.comparison = new ChainComparison(chains);
  }

  get committedHead(): BlockId | undefined {
    return this.chains.history.head;
  }

  /** Two looks in a row must agree before it says `other`. */
  get branch(): Branch {
    return this.otherBranch === undefined ? this.settled : 'other';
  }

  /** The block of the local chain that differs from the committed one; undefined if there is none. */
  get otherBranch(): string | undefined {
    const { difference } = this;
    if (!difference || this.differsFor < STRIKES) return undefined;
    return `block ${difference.number} is ${difference.local}, committed is ${difference.committed}`;
  }

  /** Why a sequencer that runs as the leader's does not build on the committed head; undefined if it seems to. */
  get offChain(): string | undefined {
    if (this.contradiction !== undefined) return this.contradiction;
    if (this.otherBranch !== undefined) return `the sequencer is on another branch: ${this.otherBranch}`;
    const { behind } = this;
    if (!behind || this.behindFor < STRIKES) return undefined;
    const { local, committed } = behind;
    return `the sequencer builds on block ${local.number} (${local.hash}), the committed head is ${committed.number} (${committed.hash})`;
  }

  /** The local chain has been compared since this node began to lead. */
  get compared(): boolean {
    return !this.isFirstLook;
  }

  /** Highest committed block that the client kept when it left the committed chain by itself; null while it has not. */
  get leftAt(): BlockId | null {
    return this.departure.leftAt;
  }

  /** When it left, on the monotonic clock; undefined while it has not. */
  get leftSinceMs(): number | undefined {
    return this.departure.sinceMs;
  }

  /** How often in a row it has left the same blocks by itself after it was given them again. */
  get leftTimes(): number {
    return this.departure.times;
  }

  /** Posting committed blocks to it would not help, or would work against a move of the whole cluster. */
  isStray(nowMs: number): boolean {
    const { leftSinceMs } = this;
    const isAway = leftSinceMs !== undefined && nowMs - leftSinceMs < LEFT_ALONE_MS;
    return this.otherBranch !== undefined || isAway;
  }

  /** This node leads, and knows the whole log. */
  promoted(): void {
    this.epoch += 1;
    this.isFirstLook = true;
    this.behindFor = 0;
    this.floor = this.committedHead?.number ?? 0;
  }

  /** The sequencer was started on this block, which is the committed head or a descendant of it. */
  started(head: BlockId): void {
    this.epoch += 1;
    this.isFirstLook = false;
    this.contradiction = undefined;
    this.differsFor = 0;
    this.behindFor = 0;
    this.floor = head.number;
  }

  /** Compares; queries the execution client when its head alone does not decide. */
  async observe(sighting: Sighting, call: CallOptions): Promise<void> {
    const { local, active } = sighting;
    const { epoch } = this;
    const target = this.committedHead;
    if (!target) return this.observeWithoutLog(active);
    const relation = await this.comparison.relate(local, target, call);
    this.anchors.keepOnly((block) => this.isCommitted(block));
    const common = await this.commonBlock(relation, local, call);
    if (epoch !== this.epoch) return;
    this.departure.note(common, relation.descends, performance.now());
    this.noteRelation(relation, sighting);
    this.noteLag(sighting);
    this.isFirstLook = false;
  }

  /** A poll failed. */
  pollFailed(): void {
    this.departure.interrupted();
  }

  /**
   * A commit was refused because its block contradicts the committed chain. The block's parent shows whether the local
   * sequencer built it: anybody who reaches the port can ask for commits.
   */
  async contradictedBy(block: BlockRef, call: CallOptions): Promise<void> {
    const { epoch } = this;
    const parent = await this.chains.execution.blockByNumber(block.number - 1, call).catch(() => undefined);
    if (parent !== undefined && parent?.hash !== block.parentHash) return;
    if (epoch !== this.epoch) return;
    const head = this.committedHead;
    if (!head) {
      this.contradiction = HEADS_NOT_COMPARED;
      return;
    }
    this.contradiction = `the sequencer built block ${block.number} (${block.hash}), the committed head is ${head.number} (${head.hash})`;
  }

  /** A sequencer that ran before this node led would make the first committed block on a head that was not compared. */
  private observeWithoutLog(active: boolean): void {
    this.settled = 'unknown';
    if (this.isFirstLook && active) {
      this.contradiction = HEADS_NOT_COMPARED;
    } else if (!active) {
      this.contradiction = undefined;
    }
    this.isFirstLook = false;
  }

  private noteRelation({ differs, common, descends }: Relation, { local, active }: Sighting): void {
    this.difference = differs;
    if (differs) {
      // There is no time for a second look: the next block may already be sealed.
      this.differsFor += this.isFirstLook && active ? STRIKES : 1;
      return;
    }
    this.differsFor = 0;
    this.settled = descends || common === local.number ? 'on' : 'unknown';
    if (this.settled === 'on' && !active) this.contradiction = undefined;
  }

  /**
   * An active sequencer commits a block, imports it, and only then builds the next: its head is at most one block
   * behind the committed one, and not below the head that it found.
   */
  private noteLag({ local, active, committed }: Sighting): void {
    const allowed = committed && this.floor < committed.number ? 1 : 0;
    const isBehind = active && committed !== undefined && local.number < committed.number - allowed;
    this.behind = isBehind ? { local, committed } : undefined;
    this.behindFor = isBehind ? this.behindFor + 1 : 0;
  }

  private async commonBlock(
    { common }: Relation,
    local: BlockId,
    call: CallOptions,
  ): Promise<BlockId | undefined> {
    const hash = common === undefined ? undefined : this.chains.history.hashAt(common);
    if (common !== undefined && hash !== undefined) {
      const block = { number: common, hash };
      this.anchors.add(block);
      return block;
    }
    for (const anchor of this.anchors) {
      if (anchor.number > local.number) continue;
      const own =
        anchor.number === local.number
          ? local
          : await this.chains.execution.blockByNumber(anchor.number, call);
      if (own?.hash === anchor.hash) return anchor;
    }
    return undefined;
  }

  private isCommitted({ number, hash }: BlockId): boolean {
    const committed = this.chains.history.hashAt(number);
    return number <= (this.committedHead?.number ?? -1) && (committed === undefined || committed === hash);
  }
}
