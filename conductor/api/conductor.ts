import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { StorageError, type RaftNode } from '../../raft/index.js';
import type { RaftNodeEvents } from '../../raft/index.js';
import type { ClusterTimes } from '../../rpc/server/cluster-timing.js';
import {
  Suffrage,
  type ClusterMembership,
  type CommitOptions,
  type ConductorApi,
  type ServerInfo,
} from '../../rpc/server/conductor-api.js';
import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';
import type { ClusterStatus, ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { PauseRequest, ResumeRequest } from '../../rpc/server/pause-request.js';
import type { BlockId } from '../../rpc/payload/block-ref.js';
import type { UnsafePayload } from '../../rpc/payload/unsafe-payload.js';
import type { History } from '../../rpc/server/history.js';
import type { CallerIdentity } from '../../rpc/server/json-rpc/caller.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ChainHistory } from '../chain/chain-history.js';
import { hasPayload, type ChainState } from '../chain/chain-state.js';
import type { LocalChain } from '../commit/gap-check.js';
import type { HeadResetter } from '../commit/head-resetter.js';
import type { PayloadCommitter } from '../commit/payload-committer.js';
import type { Recorder } from '../commit/recorder.js';
import type { Controller } from '../control/controller.js';
import type { Succession } from '../control/succession.js';
import type { Switches } from '../control/switches.js';
import type { MaintenanceService } from '../maintenance/maintenance-service.js';
import type { ClusterHistory } from '../history/cluster-history.js';
import type { MembershipService } from '../membership/membership-service.js';
import { judgeCluster } from '../verdict/judge-cluster.js';
import { mergeAnswers } from '../verdict/merge-answers.js';
import { clusterStatus, type AskStatus } from './cluster-status.js';
import { Readiness, whyNotActiveLeader } from './readiness.js';
import { resetHead } from './requested-reset.js';
import { transferToBest, transferToServer, type TransferDeps } from './requested-transfer.js';
import { SharedVerdict } from './shared-verdict.js';

/** Longest that `conductor_clusterStatus` waits for other members. */
const CLUSTER_STATUS_TIMEOUT_MS = 1000;

/** Longest reason in a record. */
const REASON_CHARS_MAX = 1024;

interface ConductorOptions {
  raft: Pick<RaftNode<unknown>, 'status' | 'transferLeadership'> & EventEmitter<RaftNodeEvents>;
  chain: Pick<ChainState, 'head' | 'hashAt'>;
  history: Pick<ChainHistory, 'payload'>;
  committer: Pick<PayloadCommitter, 'commit'>;
  resetter: Pick<HeadResetter, 'reset'>;
  recorder: Pick<Recorder, 'propose' | 'record'>;
  maintenance: Pick<MaintenanceService, 'pause' | 'resume'>;
  localChain: LocalChain;
  membership: Pick<MembershipService, 'add' | 'demote' | 'remove' | 'replace' | 'setTiming'>;
  controller: Pick<Controller, 'isWitness' | 'isHealthy' | 'isAbandoning'>;
  succession: Pick<Succession, 'successors'>;
  switches: Switches;
  /** This node's own description. */
  status: () => ConductorStatus;
  askStatus: AskStatus;
  clusterHistory: Pick<ClusterHistory, 'since'>;
  logger: Logger;
  /** `conductor_transferLeader` on a node that does not lead succeeds, as in op-conductor. */
  silentTransfer: boolean;
}

/** Events of a conductor. */
interface ConductorEvents {
  /** `conductor_stop` was called. */
  stopRequested: [by: CallerIdentity | undefined];
  /** Leadership is about to be given away on request; null: to the best member. */
  handsOver: [to: string | null, by: CallerIdentity | undefined];
  /** The answer to `conductor_leader` may have changed. */
  leadershipChanged: [];
}

/** Implements the `conductor_*` methods: each answers from memory, or passes the call to the part that it concerns. */
export class Conductor extends EventEmitter<ConductorEvents> implements ConductorApi {
  private readonly readiness: Readiness;
  private readonly verdict = new SharedVerdict(async () => (await this.clusterStatus()).verdict);

  constructor(private readonly options: ConductorOptions) {
    super();
    this.readiness = new Readiness(options);
    options.raft.on('role', () => this.emit('leadershipChanged'));
    options.raft.on('leaderReady', () => this.emit('leadershipChanged'));
  }

  leader(): boolean {
    const { switches, raft, controller } = this.options;
    return switches.leaderOverridden || (raft.status().role === 'leader' && !controller.isAbandoning);
  }

  leaderWithId(): ServerInfo {
    const { raft, switches } = this.options;
    if (switches.leaderOverridden) {
      return { id: 'N/A (Leader overridden)', addr: 'N/A', suffrage: Suffrage.voter };
    }
    const { leader, configuration } = raft.status();
    const member = configuration.configuration.members.find((candidate) => candidate.id === leader);
    return { id: leader ?? '', addr: member?.address ?? '', suffrage: Suffrage.voter };
  }

  clusterMembership(): ClusterMembership {
    const { index, configuration } = this.options.raft.status().configuration;
    if (configuration.members.length === 0) return { servers: null, version: 0 };
    const servers = configuration.members.map(({ id, address, voter }) => ({
      id,
      addr: address,
      suffrage: voter ? Suffrage.voter : Suffrage.nonvoter,
    }));
    return { servers, version: index };
  }

  active(): boolean {
    return this.options.switches.active;
  }

  paused(): boolean {
    return this.options.switches.paused;
  }

  stopped(): boolean {
    return this.options.switches.stopped;
  }

  sequencerHealthy(): boolean {
    return this.options.controller.isHealthy;
  }

  leaderOverridden(): boolean {
    return this.options.switches.leaderOverridden;
  }

  overrideLeader(override: boolean): void {
    if (override) this.refuseOnWitness('it cannot lead by decree; override a member with a node');
    this.options.switches.leaderOverridden = override;
    this.options.logger.warn({ override }, override ? 'leader override set' : 'leader override ended');
    this.emit('leadershipChanged');
  }

  async pause(): Promise<void> {
    await this.beginPause({ member: this.status().id, forMs: null });
  }

  async resume(): Promise<void> {
    await this.endPause({ member: this.status().id });
  }

  async beginPause(request: PauseRequest): Promise<void> {
    await this.options.maintenance.pause(request).catch((error: Error) => {
      throw error instanceof RpcError ? error : notKept(error);
    });
  }

  async endPause(request: ResumeRequest): Promise<void> {
    await this.options.maintenance.resume(request).catch((error: Error) => {
      if (error instanceof RpcError) throw error;
      if (error instanceof StorageError) throw notKept(error);
      throw new RpcError(
        `cannot resume because failed to get sequencer active status: failed to get sequencer active status: ${error.message}`,
        { reason: 'node-unreachable', cause: error },
      );
    });
  }

  async stop(by?: CallerIdentity): Promise<void> {
    // The answer has to leave before its server closes.
    setImmediate(() => this.emit('stopRequested', by));
  }

  async halt(owner: string, reason: string): Promise<void> {
    const who = { owner, reason: reason.slice(0, REASON_CHARS_MAX) };
    await this.options.recorder.record({ kind: 'operation', what: 'halt', who, change: { type: 'halt' } });
    this.options.logger.warn(who, 'the cluster is halted: no sequencer runs');
  }

  async endHalt(owner: string, reason: string): Promise<void> {
    const who = { owner, reason: reason.slice(0, REASON_CHARS_MAX) };
    await this.options.recorder.record({
      kind: 'operation',
      what: 'end-halt',
      who,
      change: { type: 'endHalt' },
    });
    this.options.logger.info(who, 'the halt of the cluster is over');
  }

  async commitUnsafePayload(payload: UnsafePayload, options?: CommitOptions): Promise<void> {
    this.refuseOnWitness('blocks are committed by the conductor beside the sequencer that built them');
    return this.options.committer.commit(payload, options);
  }

  async resetHead(to: BlockId, who: string, seen?: string): Promise<void> {
    const { chain, localChain, resetter, raft } = this.options;
    await resetHead({ leads: raft.status().role === 'leader', chain, localChain, resetter }, to, who, seen);
  }

  async transferLeader(by?: CallerIdentity): Promise<void> {
    const { raft, silentTransfer } = this.options;
    if (silentTransfer && raft.status().role !== 'leader') return;
    await transferToBest(this.transferFor(by));
  }

  async transferLeaderToServer(id: string, addr: string, by?: CallerIdentity): Promise<void> {
    await transferToServer(this.transferFor(by), id, addr);
  }

  private transferFor(by: CallerIdentity | undefined): TransferDeps {
    return { ...this.options, announce: (to) => this.emit('handsOver', to, by) };
  }

  addServerAsVoter(id: string, addr: string, version: number, by?: CallerIdentity): Promise<void> {
    return this.options.membership.add(id, addr, version, true, { by });
  }

  addServerAsNonvoter(id: string, addr: string, version: number, by?: CallerIdentity): Promise<void> {
    return this.options.membership.add(id, addr, version, false, { by });
  }

  demoteVoter(id: string, version: number, force: boolean, by?: CallerIdentity): Promise<void> {
    return this.options.membership.demote(id, version, { force, by });
  }

  removeServer(id: string, version: number, force: boolean, by?: CallerIdentity): Promise<void> {
    return this.options.membership.remove(id, version, { force, by });
  }

  replaceServer(
    oldId: string,
    id: string,
    addr: string,
    version: number,
    by?: CallerIdentity,
  ): Promise<void> {
    return this.options.membership.replace(oldId, { id, address: addr }, version, { by });
  }

  async setTiming(timing: string | ClusterTimes, version: number): Promise<void> {
    await this.options.membership.setTiming(timing, version);
  }

  record(record: unknown): Promise<void> {
    return this.options.recorder.propose(record);
  }

  whyNotReady(): Promise<string | undefined> {
    return this.readiness.whyNotReady();
  }

  whyNotActiveLeader(): string | undefined {
    return whyNotActiveLeader(this.status());
  }

  status(): ConductorStatus {
    return this.options.status();
  }

  async clusterStatus(): Promise<ClusterStatus & { verdict: ClusterVerdict }> {
    const own = this.status();
    const answer = await clusterStatus(own, this.options.askStatus, CLUSTER_STATUS_TIMEOUT_MS);
    return { ...answer, verdict: judgeCluster(mergeAnswers([{ members: answer.members, own }])) };
  }

  clusterVerdict(): Promise<ClusterVerdict> {
    return this.verdict.get();
  }

  history(sinceMs: number): History {
    return this.options.clusterHistory.since(sinceMs);
  }

  /** @throws RpcError */
  private refuseOnWitness(why: string): void {
    if (!this.options.controller.isWitness) return;
    throw new RpcError(`this member is a witness and has no sequencer: ${why}`, { reason: 'witness' });
  }

  async latestUnsafePayload(): Promise<Buffer | null> {
    const { chain, history } = this.options;
    const { head } = chain;
    return head && hasPayload(head) ? history.payload(head) : null;
  }
}

/** It is not known whether the node will be paused after a restart, and this process ends */
function notKept(error: Error): RpcError {
  return new RpcError(`the switch could not be written: ${error.message}`, {
    reason: 'storage',
    cause: error,
  });
}
