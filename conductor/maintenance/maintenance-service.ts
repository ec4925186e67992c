import type { Logger } from 'pino';
import { StorageError } from '../../raft/index.js';
import type { PauseRequest, ResumeRequest } from '../../rpc/server/pause-request.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ChainStateMachine } from '../chain/chain-state-machine.js';
import type { RecordedPause } from '../chain/maintenance.js';
import type { Recorder, RecordDraft } from '../commit/recorder.js';
import type { Controller } from '../control/controller.js';
import type { PauseDetails, Switches } from '../control/switches.js';
import { loggedPauses } from './logged-pauses.js';
import { settle } from './settle.js';

interface MaintenanceOptions {
  nodeId: string;
  machine: Pick<ChainStateMachine, 'records' | 'appliedIndex'>;
  recorder: Pick<Recorder, 'record'>;
  controller: Pick<Controller, 'pause' | 'resume' | 'resumed'>;
  switches: Switches;
  /** This node leads, and knows the whole log. */
  isReadyLeader: () => boolean;
  logger: Logger;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

const LOOK_MS = 500;
/** Pause between attempts to record something. */
const RETRY_MS = 5000;

/**
 * Pauses of this node, of other members and of the cluster. Pauses of this node alone take effect at once and are on
 * its disk, whatever the cluster does. In the background they are copied to the log, and those of the log to the
 * disk.
 */
export class MaintenanceService {
  private wasPaused = false;
  private wake = (): void => undefined;

  constructor(private readonly options: MaintenanceOptions) {
    const { switches, machine, nodeId } = options;
    switches.follow(() => loggedPauses(machine, nodeId));
  }

  /** @throws RpcError, also `unread-records` or `no-leader` if only the log could record it */
  async pause({ member, forMs, owner, reason }: PauseRequest): Promise<void> {
    const untilMs = forMs === null ? null : Math.ceil(Date.now() + forMs);
    const details = { owner, reason };
    if (member === this.options.nodeId) {
      await this.options.controller.pause({ ...details, ...(untilMs !== null && { untilMs }) });
      this.wake();
      return;
    }
    await this.record('pause', details, { type: 'pause', member, untilMs });
  }

  /** @throws RpcError `cluster-paused` if it would stay paused, and as `pause` */
  async resume({ member, owner, reason }: ResumeRequest): Promise<void> {
    if (member === this.options.nodeId) {
      this.requireOwn();
      await this.options.controller.resume();
      this.wake();
      return;
    }
    await this.record('resume', { owner, reason }, { type: 'resume', member, pauseId: null });
  }

  /** Handles pauses that ended by themselves and those that must be recorded, until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    let retryAtMs = 0;
    let told = '';
    while (!signal.aborted) {
      try {
        if (performance.now() >= retryAtMs) await this.settleAll();
        told = '';
      } catch (error) {
        // A failed disk ends the process.
        if (error instanceof StorageError) return;
        if (!(error instanceof RpcError)) throw error;
        retryAtMs = performance.now() + RETRY_MS;
        const { message, reason: code } = error;
        if (message !== told)
          this.options.logger.info({ code, reason: message }, 'a pause is not recorded yet');
        told = message;
      }
      await this.untilNextLook(signal);
    }
  }

  private requireOwn(): void {
    const { clusterPause } = this.options.switches;
    if (!clusterPause) return;
    const { owner, reason } = clusterPause;
    const by = owner === undefined ? '' : ` by ${owner}`;
    const why = reason === undefined ? '' : ` (${reason})`;
    throw new RpcError(
      `cannot resume because the whole cluster is paused${by}${why}: resume the cluster with baton resume`,
      { reason: 'cluster-paused' },
    );
  }

  private async settleAll(): Promise<void> {
    const { switches, controller } = this.options;
    await switches.keepClusterPause();
    // One after the other, with a limit: each of them may be undone meanwhile.
    for (let steps = 0; steps < 8 && (await this.settleOne()); steps++);
    await this.endWhatIsOver();
    if (this.wasPaused && !switches.paused) controller.resumed();
    this.wasPaused = switches.paused;
  }

  /** @returns whether there was something to do */
  private async settleOne(): Promise<boolean> {
    const { switches, nodeId, machine, logger } = this.options;
    const { pause, resumed } = switches.unsettled;
    const recordedAt = machine.records.journal.find(({ record }) => record.id === pause?.id)?.logIndex;
    const { member, appliedIndex } = loggedPauses(machine, nodeId);
    const next = settle({ pause, resumed }, { member, appliedIndex, recordedAt }, Date.now());
    switch (next.type) {
      case 'none':
        return false;
      case 'end':
        logger.info({ reason: next.reason }, 'the pause of this node is over');
        await switches.endPause();
        return true;
      case 'note':
        await switches.noteRecorded(pause!.id!, next.logIndex);
        return true;
      case 'adopt':
        logger.info(
          { owner: next.pause.owner, reason: next.pause.reason, untilMs: next.pause.untilMs },
          'control loop paused, as recorded for this member',
        );
        await switches.adopt(next.pause);
        return true;
      case 'publishPause': {
        const { id, sinceMs, untilMs = null } = pause!;
        const change = { type: 'pause', member: nodeId, untilMs } as const;
        await this.record('pause', pause!, change, { id: id!, atMs: sinceMs });
        // Applied here a moment later, if another member leads.
        return machine.records.has(id!);
      }
      case 'publishResume':
        await this.record('resume', {}, { type: 'resume', member: nodeId, pauseId: next.pauseId });
        return false;
    }
  }

  /** Only the leader does it: otherwise every member would record the end. */
  private async endWhatIsOver(): Promise<void> {
    const { machine, isReadyLeader } = this.options;
    if (!isReadyLeader()) return;
    const { cluster, members } = machine.records.maintenance;
    const all: [string | null, RecordedPause | null][] = [[null, cluster], ...Object.entries(members)];
    for (const [member, pause] of all) {
      if (!pause || (pause.untilMs ?? Infinity) > Date.now()) continue;
      await this.record('pause-ended', {}, { type: 'resume', member, pauseId: pause.id });
    }
  }

  private async record(
    what: string,
    { owner, reason }: PauseDetails,
    change: NonNullable<RecordDraft['change']>,
    known: Pick<RecordDraft, 'id' | 'atMs'> = {},
  ): Promise<void> {
    const who = { ...(owner !== undefined && { owner }), ...(reason !== undefined && { reason }) };
    await this.options.recorder.record({ kind: 'operation', what, who, change, ...known });
  }

  private async untilNextLook(signal: AbortSignal): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.wake = resolve));
    await Promise.race([this.options.sleep(LOOK_MS, signal).catch(() => undefined), woken]);
  }
}
