import { EventEmitter } from 'node:events';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import { isRefused } from '../../rpc/clients/client-error.js';
import type { L1Block } from '../../rpc/clients/op-node-client.js';
import { BranchWatch, type WatchedChains } from './branch-watch.js';
import { L1Watch } from './l1-watch.js';
import { lowerHead, type UnsafeHead } from './local-head.js';
import type { NodeOverride } from './node-override.js';
import { NOT_ASKING, OVERRIDDEN } from './not-asking.js';
import { RefusedCommits } from './refused-commits.js';

interface LocalNodeState {
  /** Head of the execution client; null before the first answer. */
  head: BlockRef | null;
  /** Monotonic time at which the head last went up. */
  headAdvancedAtMs: number;
  /** Whether op-node sequences; null while it does not answer. */
  sequencerActive: boolean | null;
  /** As far as known, op-node asks its conductor before it publishes: otherwise it must not sequence. */
  conductorEnabled: boolean;
  /** There was a poll, or a reason why it cannot begin. */
  asked: boolean;
  /** False after two polls in a row without an answer of op-node or of the execution client. */
  reachable: boolean;
  /** Why it is not reachable. */
  reason: string;
}

interface Probed {
  opNode: {
    sequencerActive(options: CallOptions): Promise<boolean>;
    conductorEnabled(options: CallOptions): Promise<boolean>;
    syncStatus(options: CallOptions): Promise<{ unsafeL2: UnsafeHead; l1Blocks: readonly L1Block[] }>;
    onDisconnect(listener: () => void): void;
  };
  execution: WatchedChains['execution'] & {
    latestBlock(options: CallOptions): Promise<BlockRef>;
    onDisconnect(listener: () => void): void;
  };
}

/** Why a witness does not sequence. */
const NO_NODE = 'a witness has no node';

interface LocalNodeOptions extends Probed {
  /** There is no node: this member is a witness, and polls nothing. */
  isAbsent?: boolean;
  /** The committed chain. */
  history: WatchedChains['history'];
  /** Emergency overrides of op-node by operators; none by default. */
  override?: OverrideState;
  /** The sequencer should have had another block committed by now. */
  isBlockOverdue: () => boolean;
  pollIntervalMs: number;
  timeoutMs: number;
}

type OverrideState = Pick<NodeOverride, 'sinceMs' | 'isLooking'>;

interface OpNodeAnswer {
  /** It sequences. */
  active: boolean;
  unsafe: UnsafeHead;
}

interface LocalNodeEvents {
  /** The state is that of a poll that has just ended. */
  polled: [];
}

/** One lost answer may be a glitch; two in a row are not. */
const STRIKES = 2;
/** An op-node that has not answered for this long, and whose block is overdue, hangs: it gets no second query. */
const SILENT_MS = 300;
/** How often that is checked. */
const LOOK_MS = 50;

/**
 * State of the local op-node and execution client, read several times a second: op-conductor relies on its own last
 * action on them, so an op-node that was restarted stays stopped (docs/reference/op-conductor.md §3.2).
 */
export class LocalNode extends EventEmitter<LocalNodeEvents> {
  private readonly stopped = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  /** Another poll must follow the one under way. */
  private again = false;
  /** It answered since it was last found unreachable. */
  private hasAnswered = false;
  private strikes = 0;
  /** op-node did not answer, so it may have been restarted with other flags. */
  private mayHaveRestarted = false;
  /** Grows with each note from outside: a poll that began before says nothing about the time after. */
  private epoch = 0;
  /** How the client's chain relates to the committed one. */
  readonly branch: BranchWatch;
  /** What L1 does, as op-node sees it. */
  readonly l1 = new L1Watch();
  /** Fate of its sequencer's blocks. */
  readonly commits = new RefusedCommits();
  /** There is none: this member is a witness. */
  readonly isAbsent: boolean;
  /** Whether an operator told it to publish without its conductor. */
  readonly override: OverrideState;
  readonly state: LocalNodeState = {
    head: null,
    headAdvancedAtMs: -Infinity,
    sequencerActive: null,
    conductorEnabled: true,
    asked: false,
    reachable: false,
    reason: 'not asked yet',
  };

  constructor(private readonly options: LocalNodeOptions) {
    super();
    this.isAbsent = options.isAbsent ?? false;
    this.override = options.override ?? { sinceMs: null, isLooking: false };
    if (this.isAbsent) this.state.reason = NO_NODE;
    this.branch = new BranchWatch(options);
    options.opNode.onDisconnect(() => this.pollNow());
    options.execution.onDisconnect(() => this.pollNow());
  }

  /** Why its sequencer must not run as a leader's; undefined when, as far as known, it asks its conductor. */
  get notAsking(): string | undefined {
    if (!this.state.conductorEnabled) return NOT_ASKING;
    return this.override.sinceMs === null ? undefined : OVERRIDDEN;
  }

  /** From here on it is polled repeatedly. An absent node never is: all is known about it. */
  start(): void {
    if (this.isAbsent) return void this.emit('polled');
    this.again = false;
    this.running = this.poll().finally(() => {
      this.running = undefined;
      if (this.stopped.signal.aborted) return;
      this.timer = setTimeout(() => this.start(), this.again ? 0 : this.options.pollIntervalMs);
    });
  }

  /** A connection ended: a poll shows at once whether the process is gone. */
  private pollNow(): void {
    if (this.running) {
      this.again = true;
    } else if (this.timer && !this.stopped.signal.aborted) {
      clearTimeout(this.timer);
      this.start();
    }
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  /** Notes why polling has not begun yet. */
  noteUnreachable(reason: string): void {
    this.state.asked = true;
    this.state.reason = `op-node: ${reason}`;
  }

  /** Notes what a start or stop of the sequencer has just shown. */
  noteSequencer(active: boolean): void {
    this.epoch += 1;
    this.commits.forget();
    this.state.sequencerActive = active;
  }

  /** Notes a head that another component has just read. */
  noteHead(head: BlockRef): void {
    this.epoch += 1;
    this.takeHead(head);
  }

  /** Notes whether op-node asks its conductor, which another component has just found out. */
  noteConductorEnabled(enabled: boolean): void {
    this.state.conductorEnabled = enabled;
  }

  private takeHead(head: BlockRef): void {
    if (head.number > (this.state.head?.number ?? -1)) this.state.headAdvancedAtMs = performance.now();
    this.state.head = head;
  }

  private async poll(): Promise<void> {
    const { epoch } = this;
    const call = { signal: this.stopped.signal, timeoutMs: this.options.timeoutMs };
    const committed = this.branch.committedHead;
    const asked = this.askOpNode(call);
    const stopLooking = this.lookForSilence();
    const [active, head] = await Promise.allSettled([
      asked.finally(stopLooking),
      this.options.execution.latestBlock(call),
    ]);
    if (this.stopped.signal.aborted) return;
    let failure = failureOf('op-node', active) ?? failureOf('execution client', head);
    if (epoch === this.epoch && head.status === 'fulfilled') {
      const local = await this.headOf(head.value, active, call);
      this.takeHead(local);
      if (active.status === 'fulfilled') {
        const sighting = { local, active: active.value.active, committed };
        const [compared] = await Promise.allSettled([this.branch.observe(sighting, call)]);
        if (this.stopped.signal.aborted) return;
        failure ??= failureOf('execution client', compared);
      }
    }
    this.state.asked = true;
    this.noteAnswers(failure, [active, head].some(isGone));
    if (epoch === this.epoch) {
      if (active.status === 'fulfilled') this.state.sequencerActive = active.value.active;
      else if (this.strikes >= STRIKES) this.state.sequencerActive = null;
    }
    this.emit('polled');
  }

  /** op-node's if that is lower than the client's; without its answer, the client's. */
  private async headOf(
    latest: BlockRef,
    opNode: PromiseSettledResult<OpNodeAnswer>,
    call: CallOptions,
  ): Promise<BlockRef> {
    if (opNode.status === 'rejected') return latest;
    return lowerHead(latest, opNode.value.unsafe, this.options.execution, call).catch(() => latest);
  }

  private async askOpNode(call: CallOptions): Promise<OpNodeAnswer> {
    const { opNode } = this.options;
    try {
      const [active, { unsafeL2: unsafe, l1Blocks }] = await Promise.all([
        opNode.sequencerActive(call),
        opNode.syncStatus(call),
      ]);
      this.l1.note(l1Blocks, performance.now());
      if (this.mayHaveRestarted || !this.state.conductorEnabled) {
        this.noteConductorEnabled(await opNode.conductorEnabled(call));
      }
      this.mayHaveRestarted = false;
      return { active, unsafe };
    } catch (error) {
      this.mayHaveRestarted = true;
      throw error;
    }
  }

  /** @param gone nothing listens where op-node or the execution client should be */
  private noteAnswers(failure: string | undefined, gone: boolean): void {
    if (failure === undefined) {
      this.strikes = 0;
      this.hasAnswered = true;
      this.state.reachable = true;
      return;
    }
    // A process that was there and is gone needs no second look.
    this.strikes = gone && this.hasAnswered ? STRIKES : this.strikes + 1;
    this.noteStrikes(failure);
    this.branch.pollFailed();
  }

  private noteStrikes(reason: string): void {
    this.state.reason = reason;
    if (this.strikes < STRIKES) return;
    this.state.reachable = false;
    this.hasAnswered = false;
  }

  /** Until cancelled, checks whether op-node is silent while its block is overdue. */
  private lookForSilence(): () => void {
    const askedAtMs = performance.now();
    const timer = setInterval(() => {
      const silentMs = performance.now() - askedAtMs;
      const { sequencerActive } = this.state;
      if (silentMs < SILENT_MS || sequencerActive !== true || !this.options.isBlockOverdue()) return;
      clearInterval(timer);
      this.strikes = STRIKES;
      this.noteStrikes(`op-node: no answer for ${Math.round(silentMs)} ms, and a block is overdue`);
      this.emit('polled');
    }, LOOK_MS);
    return () => clearInterval(timer);
  }
}

const isGone = (result: PromiseSettledResult<unknown>): boolean =>
  result.status === 'rejected' && isRefused(result.reason);

function failureOf(who: string, result: PromiseSettledResult<unknown>): string | undefined {
  return result.status === 'rejected' ? `${who}: ${(result.reason as Error).message}` : undefined;
}
