import type { ClusterTimes } from '../cluster-timing.js';
import type { ClusterMembership, CommitOptions, ConductorApi, ServerInfo } from '../conductor-api.js';
import type { History } from '../history.js';
import { Suffrage } from '../conductor-api.js';
import type { ClusterVerdict } from '../cluster-verdict.js';
import type { ClusterStatus, ConductorStatus } from '../conductor-status.js';
import type { BlockId } from '../../payload/block-ref.js';
import type { UnsafePayload } from '../../payload/unsafe-payload.js';
import type { CallerIdentity } from '../json-rpc/caller.js';
import { RpcError } from '../json-rpc/rpc-error.js';

/** A conductor without a cluster behind it: keeps its switches, records its calls. */
export class FakeConductor implements ConductorApi {
  readonly committed: UnsafePayload[] = [];
  /** Each commit waits for this. */
  onCommit: (options: CommitOptions) => Promise<void> = async () => undefined;
  /** Cluster operations with their arguments. */
  readonly operations: unknown[][] = [];
  /** Caller of the last removal of a member. */
  changedBy: CallerIdentity | undefined;
  servers: ServerInfo[] | null = ['leader', 'follower', 'other'].map((name) => ({
    id: `${name}-id`,
    addr: `${name}:50050`,
    suffrage: Suffrage.voter,
  }));
  private override = false;
  private isPaused = false;

  constructor(private readonly isLeader: boolean) {}

  leader(): boolean {
    return this.override || this.isLeader;
  }

  leaderWithId(): ServerInfo {
    return this.servers?.[0] ?? { id: '', addr: '', suffrage: Suffrage.voter };
  }

  clusterMembership(): ClusterMembership {
    return { servers: this.servers, version: 0 };
  }

  active(): boolean {
    return !this.isPaused;
  }

  paused(): boolean {
    return this.isPaused;
  }

  stopped(): boolean {
    return false;
  }

  sequencerHealthy(): boolean {
    return true;
  }

  leaderOverridden(): boolean {
    return this.override;
  }

  async beginPause(request: unknown): Promise<void> {
    this.operations.push(['beginPause', request]);
  }

  async endPause(request: unknown): Promise<void> {
    this.operations.push(['endPause', request]);
  }

  async record(record: unknown): Promise<void> {
    this.operations.push(['record', record]);
  }

  overrideLeader(override: boolean): void {
    this.override = override;
  }

  async pause(): Promise<void> {
    this.isPaused = true;
  }

  async resume(): Promise<void> {
    this.isPaused = false;
  }

  history(sinceMs: number): History {
    this.operations.push(['history', sinceMs]);
    return { schemaVersion: 1, answeredBy: 'leader-id', entries: [] };
  }

  async stop(): Promise<void> {
    this.operations.push(['stop']);
  }

  async halt(owner: string, reason: string): Promise<void> {
    this.operations.push(['halt', owner, reason]);
  }

  async endHalt(owner: string, reason: string): Promise<void> {
    this.operations.push(['endHalt', owner, reason]);
  }

  async commitUnsafePayload(payload: UnsafePayload, options: CommitOptions = {}): Promise<void> {
    await this.onCommit(options);
    if (!this.isLeader) {
      throw new RpcError('failed to apply payload envelope: node is not the leader', {
        reason: 'not-leader',
      });
    }
    this.committed.push(payload);
  }

  async resetHead(to: BlockId, reason: string, seen?: string): Promise<void> {
    this.changeCluster('resetHead', to, reason, seen);
  }

  async transferLeader(): Promise<void> {
    this.operations.push(['transferLeader']);
  }

  async transferLeaderToServer(id: string, addr: string): Promise<void> {
    this.changeCluster('transferLeaderToServer', id, addr);
  }

  async addServerAsVoter(id: string, addr: string, version: number): Promise<void> {
    this.changeCluster('addServerAsVoter', id, addr, version);
  }

  async addServerAsNonvoter(id: string, addr: string, version: number): Promise<void> {
    this.changeCluster('addServerAsNonvoter', id, addr, version);
  }

  async demoteVoter(id: string, version: number, force: boolean): Promise<void> {
    this.changeCluster('demoteVoter', id, version, force);
  }

  async removeServer(id: string, version: number, force: boolean, by?: CallerIdentity): Promise<void> {
    this.changedBy = by;
    this.changeCluster('removeServer', id, version, force);
  }

  async replaceServer(oldId: string, id: string, addr: string, version: number): Promise<void> {
    this.changeCluster('replaceServer', oldId, id, addr, version);
  }

  async setTiming(timing: string | ClusterTimes, version: number): Promise<void> {
    this.changeCluster('setTiming', timing, version);
  }

  async whyNotReady(): Promise<string | undefined> {
    return undefined;
  }

  whyNotActiveLeader(): string | undefined {
    return this.leader() ? undefined : 'another one leads';
  }

  status(): ConductorStatus {
    throw new Error('there is no node behind this conductor');
  }

  clusterStatus(): Promise<ClusterStatus> {
    return Promise.reject(new Error('there is no cluster behind this conductor'));
  }

  clusterVerdict(): Promise<ClusterVerdict> {
    return Promise.reject(new Error('there is no cluster behind this conductor'));
  }

  async latestUnsafePayload(): Promise<Buffer | null> {
    return this.committed.at(-1)?.ssz ?? null;
  }

  private changeCluster(...operation: unknown[]): void {
    if (!this.isLeader) throw new RpcError('node is not the leader', { reason: 'not-leader' });
    this.operations.push(operation);
  }
}
