import { EventEmitter } from 'node:events';
import type { HealthMonitor } from '../../health/health-monitor.js';
import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import { BehindError, bringToHead } from './bring-to-head.js';
import type { LocalNode } from './local-node.js';
import { StartGate, type StartGateOptions } from './start-gate.js';
import { StartHeldError } from './start-held.js';
import { startSequencer, type StartOptions, type StartDeps } from './start-sequencer.js';
import { StartTrouble } from './start-trouble.js';

/** A sequencer ends its block within its block time; one that hangs is left alone after this. */
const STOP_TIMEOUT_MS = 2000;

export interface LocalSequencerOptions
  extends StartDeps, Pick<StartGateOptions, 'nodeId' | 'askVoters' | 'resetHead'> {
  opNode: StartDeps['opNode'] & Pick<OpNodeClient, 'stopSequencer' | 'conductorEnabled' | 'syncStatus'>;
  localNode: Pick<
    LocalNode,
    'state' | 'branch' | 'l1' | 'notAsking' | 'noteHead' | 'noteSequencer' | 'noteConductorEnabled'
  >;
  health: Pick<HealthMonitor, 'probeNow'>;
  callTimeoutMs: number;
  /** Longest that the local node may take for its next step towards the committed head. */
  catchUpTimeoutMs: number;
}

interface LocalSequencerEvents {
  /** `wasStopped`: false when it was already running. */
  started: [wasStopped: boolean];
  /** `wasRunning`: false when it was already stopped. */
  stopped: [wasRunning: boolean];
}

/** Starts, stops and feeds the local node, and remembers what the next decision must know about it. */
export class LocalSequencer extends EventEmitter<LocalSequencerEvents> {
  private starting = false;
  private abandoning = false;
  /** A start has passed the gate since this node began to lead. */
  private passedGate = false;
  private startedMs = -Infinity;
  /** Hash of the local head for which the retained history turned out too short. */
  private historyTooShortAt: string | undefined;
  private readonly startTrouble = new StartTrouble();
  private readonly gate: StartGate;
  private held: string | undefined;

  constructor(private readonly options: LocalSequencerOptions) {
    super();
    this.gate = new StartGate(options);
  }

  /** A start is under way; it ends when op-node has answered, not when a poll sees its effect. */
  get isStarting(): boolean {
    return this.starting;
  }

  /** It is being stopped for good reason, and its sealed blocks no longer count. */
  get isAbandoning(): boolean {
    return this.abandoning;
  }

  /** Whether its block may be the first of an empty log: its head was compared with those of the other members. */
  get mayBegin(): boolean {
    return this.passedGate;
  }

  /** Why a start must wait although nothing has failed; undefined if it need not. */
  get heldBy(): string | undefined {
    return this.held;
  }

  /** Monotonic time of the last successful start. */
  get startedAtMs(): number {
    return this.startedMs;
  }

  /** The retained history does not reach the local head as it is now. */
  get isHistoryTooShort(): boolean {
    const { head } = this.options.localNode.state;
    return this.historyTooShortAt !== undefined && this.historyTooShortAt === head?.hash;
  }

  /** Why this node should not lead now: its sequencer cannot be started. Undefined if it may. */
  troubleAt(nowMs: number): string | undefined {
    return this.startTrouble.reasonAt(nowMs);
  }

  /** The role of this node has changed. */
  roleChanged({ leads }: { leads: boolean }): void {
    // The member that transferred leadership here, although this sequencer could not start, wants it to try again.
    if (leads) this.startTrouble.reset();
    this.passedGate = false;
    this.historyTooShortAt = undefined;
    this.held = undefined;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { localNode, health } = this.options;
    this.starting = true;
    await this.notingShortHistory(async () => {
      await this.gate.pass({ signal, timeoutMs: this.options.callTimeoutMs });
      this.passedGate = true;
      const { head, wasStopped } = await startSequencer(this.options, this.limits(signal));
      this.startedMs = performance.now();
      localNode.noteHead(head);
      localNode.noteSequencer(true);
      localNode.branch.started(head);
      this.startTrouble.started();
      this.held = undefined;
      this.emit('started', wasStopped);
    })
      .catch((error: Error) => {
        if (!signal.aborted) this.startTrouble.failed(error, performance.now());
        this.held = error instanceof StartHeldError ? error.message : undefined;
        throw error;
      })
      .finally(() => (this.starting = false));
    health.probeNow();
  }

  /** Posts the blocks that the local node lacks, as far as they can no longer be replaced. */
  async feed(signal: AbortSignal): Promise<void> {
    const { localNode, health } = this.options;
    await this.notingShortHistory(async () => {
      localNode.noteHead(await bringToHead(this.options, { ...this.limits(signal), upTo: 'parent-of-head' }));
    });
    health.probeNow();
  }

  /** Lets it end its block first. */
  async stop(signal: AbortSignal): Promise<void> {
    const { opNode, localNode, logger } = this.options;
    const { head, wasRunning } = await opNode.stopSequencer({ signal, timeoutMs: STOP_TIMEOUT_MS });
    localNode.noteSequencer(false);
    this.emit('stopped', wasRunning);
    if (wasRunning) logger.info({ hash: head }, 'sequencer stopped');
  }

  /**
   * Stops it without waiting for its last block: while its conductor leads, op-node answers only when that block is its
   * head, which it never will be after op-node has walked back.
   */
  async abandon(reason: string, signal: AbortSignal): Promise<void> {
    this.abandoning = true;
    await this.stop(signal).finally(() => (this.abandoning = false));
    this.startTrouble.abandoned(reason, performance.now());
  }

  private limits(signal: AbortSignal): StartOptions {
    const { catchUpTimeoutMs: deadlineMs, callTimeoutMs } = this.options;
    return { signal, deadlineMs, callTimeoutMs };
  }

  private async notingShortHistory(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof BehindError && error.code === 'history-too-short') {
        this.historyTooShortAt = this.options.localNode.state.head?.hash;
      }
      throw error;
    }
  }
}
