import { EventEmitter } from 'node:events';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import { BranchWatch, type WatchedChains } from './branch-watch.js';
import { L1Watch } from './l1-watch.js';

interface LocalNodeState {
  /** Head of the execution client; null before the first answer. */
  head: BlockRef | null;
  /** Monotonic time at which the head last went up. */
  headAdvancedAtMs: number;
  /** Whether op-node sequences; null while it does not answer. */
  sequencerActive: boolean | null;
  /** op-node asks its conductor before it publishes, for all that is known: without that it must not sequence. */
  conductorEnabled: boolean;
  /** There was a poll, or a reason that it cannot begin. */
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
  };
  execution: WatchedChains['execution'] & { latestBlock(options: CallOptions): Promise<BlockRef> };
}

interface LocalNodeOptions extends Probed {
  /** The committed chain. */
  history: WatchedChains['history'];
  pollIntervalMs: number;
  timeoutMs: number;
}

interface LocalNodeEvents {
  /** The state is that of a poll that has just ended. */
  polled: [];
}

/** One lost answer is an accident, two are a fact. */
const STRIKES = 2;

/**
 * What the local op-node and execution client are doing, read again several times a second: op-conductor believes
 * what it last did to them, and an op-node that was restarted stays stopped (op-conductor.md §11.11, 5).
 */
export class LocalNode extends EventEmitter<LocalNodeEvents> {
  private readonly stopped = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private strikes = 0;
  /** op-node did not answer, so that it may have been restarted with other flags. */
  private mayHaveRestarted = false;
  /** Grows with each note from outside: a poll that began before says nothing about after. */
  private epoch = 0;
  /** Where the client's chain stands to the committed one. */
  readonly branch: BranchWatch;
  /** What L1 does, as op-node sees it. */
  readonly l1 = new L1Watch();
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
    this.branch = new BranchWatch(options);
  }

  start(): void {
    this.running = this.poll().finally(() => {
      if (this.stopped.signal.aborted) return;
      this.timer = setTimeout(() => this.start(), this.options.pollIntervalMs);
    });
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
    this.state.sequencerActive = active;
  }

  /** Notes a head that somebody else has just read. */
  noteHead(head: BlockRef): void {
    this.epoch += 1;
    this.takeHead(head);
  }

  /** Notes whether op-node asks its conductor, which somebody else has just asked. */
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
    const [active, head] = await Promise.allSettled([
      this.askOpNode(call),
      this.options.execution.latestBlock(call),
    ]);
    if (this.stopped.signal.aborted) return;
    let failure = failureOf('op-node', active) ?? failureOf('execution client', head);
    if (epoch === this.epoch && head.status === 'fulfilled') {
      this.takeHead(head.value);
      if (active.status === 'fulfilled') {
        const sighting = { local: head.value, active: active.value, committed };
        const [compared] = await Promise.allSettled([this.branch.observe(sighting, call)]);
        if (this.stopped.signal.aborted) return;
        failure ??= failureOf('execution client', compared);
      }
    }
    this.state.asked = true;
    this.noteAnswers(failure);
    if (epoch === this.epoch) {
      if (active.status === 'fulfilled') this.state.sequencerActive = active.value;
      else if (this.strikes >= STRIKES) this.state.sequencerActive = null;
    }
    this.emit('polled');
  }

  /** Whether it sequences. */
  private async askOpNode(call: CallOptions): Promise<boolean> {
    const { opNode } = this.options;
    try {
      const active = await opNode.sequencerActive(call);
      if (this.mayHaveRestarted || !this.state.conductorEnabled) {
        this.noteConductorEnabled(await opNode.conductorEnabled(call));
      }
      this.mayHaveRestarted = false;
      return active;
    } catch (error) {
      this.mayHaveRestarted = true;
      throw error;
    }
  }

  private noteAnswers(failure: string | undefined): void {
    if (failure === undefined) {
      this.strikes = 0;
      this.state.reachable = true;
      return;
    }
    this.strikes += 1;
    this.state.reason = failure;
    if (this.strikes >= STRIKES) this.state.reachable = false;
    this.branch.pollFailed();
  }
}

function failureOf(who: string, result: PromiseSettledResult<unknown>): string | undefined {
  return result.status === 'rejected' ? `${who}: ${(result.reason as Error).message}` : undefined;
}
