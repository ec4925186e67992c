import type { EventEmitter } from 'node:events';
import { Registry } from 'prom-client';
import type { HealthReport } from '../../health/health-report.js';
import type { Refusal } from '../../rpc/server/access/refusal.js';
import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { CallReport } from '../../rpc/server/json-rpc/call-report.js';
import type { CommittedHead, Verdict } from '../chain/chain-state.js';
import type { ControlEvents } from '../control/control-events.js';
import { ClusterMetrics } from './cluster-metrics.js';
import { CommitMetrics } from './commit-metrics.js';
import { ConductorMetrics } from './conductor-metrics.js';
import { Families } from './families.js';
import { HistoryMetrics } from './history-metrics.js';
import { addProcessMetrics } from './process-metrics.js';
import { RaftMetrics, type WatchedRaft } from './raft-metrics.js';
import { RpcMetrics } from './rpc-metrics.js';
import { SecurityMetrics } from './security-metrics.js';
import { StateMetrics } from './state-metrics.js';

/**
 * All metrics of this process except those of the flashblocks proxy, which adds its own to the registry. They have
 * op-conductor's names where it has them; docs/METRICS.md lists all of them.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly security: SecurityMetrics;
  private readonly upGauge;
  private readonly conductor;
  private readonly raft;
  private readonly commits;
  private readonly rpc;
  private readonly state;
  private readonly cluster;
  private readonly history;

  constructor(version: string) {
    const families = new Families(this.registry);
    families
      .gauge('op_conductor_info', 'Pseudo-metric tracking version and config info', 'version')
      .set({ version }, 1);
    this.upGauge = families.gauge('op_conductor_up', '1 if the op-conductor has finished starting up');
    this.conductor = new ConductorMetrics(families);
    this.raft = new RaftMetrics(families, () => performance.now());
    this.commits = new CommitMetrics(families);
    this.rpc = new RpcMetrics(families);
    this.security = new SecurityMetrics(families);
    this.state = new StateMetrics(families);
    this.cluster = new ClusterMetrics(families);
    this.history = new HistoryMetrics(families);
  }

  /** Counts the events of these two from now on. */
  watch(raft: WatchedRaft, controller: EventEmitter<ControlEvents>): void {
    this.raft.watch(raft);
    this.raft.watchStarts(controller);
    this.commits.watch(raft);
    this.conductor.watch(controller);
  }

  up(): void {
    this.upGauge.set(1);
  }

  healthChecked(report: HealthReport): void {
    this.conductor.healthChecked(report);
  }

  called(report: CallReport): void {
    this.rpc.called(report);
    this.commits.called(report);
  }

  refused({ cause }: Pick<Refusal, 'cause'>): void {
    this.rpc.refused(cause);
  }

  applied(head: CommittedHead, verdict: Verdict): void {
    this.commits.applied(head, verdict);
  }

  /** The fate of an entry for the webhook. */
  posted(outcome: 'sent' | 'dropped'): void {
    this.history.posted(outcome);
  }

  /** Adds metrics that only a process with a metrics port needs: their collectors have a constant small cost. */
  addProcess(): void {
    addProcessMetrics(this.registry);
  }

  /** Updates the gauges. */
  refresh(status: ConductorStatus, verdict: ClusterVerdict): void {
    this.state.set(status, Date.now());
    this.cluster.set(verdict);
  }
}
