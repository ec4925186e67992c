import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { HealthReport } from '../../health/health-report.js';
import type { RaftNode } from '../../raft/index.js';
import type { ChainStateMachine, CommandVerdict } from '../chain/chain-state-machine.js';
import type { CommittedHead, Verdict } from '../chain/chain-state.js';
import type { JournalEntry } from '../chain/cluster-records.js';
import type { Recorder } from '../commit/recorder.js';
import type { Config } from '../config/config.js';
import type { ControlEvents } from '../control/control-events.js';
import { ClusterHistory } from '../history/cluster-history.js';
import { Webhook } from '../history/webhook.js';
import type { Metrics } from '../metrics/metrics.js';
import { sleep } from '../time/sleep.js';

/** What parts report to parts that are built later. */
export interface Reports {
  healthChecked: [report: HealthReport];
  applied: [head: CommittedHead, verdict: Verdict];
  recorded: [entry: JournalEntry];
}

interface HistoryParts {
  raft: RaftNode<CommandVerdict>;
  machine: Pick<ChainStateMachine, 'live' | 'records'>;
  recorder: Pick<Recorder, 'make' | 'put'>;
  controller: EventEmitter<ControlEvents>;
  reports: EventEmitter<Reports>;
  metrics: Pick<Metrics, 'posted'>;
  logger: Logger;
}

/** The history of the cluster, reported by the parts that make it. The leader posts it to the webhook, if any. */
export function recordHistory(
  { history: { webhookUrl } }: Pick<Config, 'history'>,
  { raft, machine, recorder, controller, reports, metrics, logger }: HistoryParts,
): { clusterHistory: ClusterHistory; webhook: Webhook | undefined } {
  const clusterHistory = new ClusterHistory({
    ...{ raft, chain: machine.live, records: machine.records, logger, sleep },
    make: (draft) => recorder.make(draft),
    put: (record) => recorder.put(record),
  });
  reports.on('applied', (head, verdict) => clusterHistory.applied(head, verdict));
  reports.on('recorded', (entry) => clusterHistory.recorded(entry));
  controller.on('sequencerStarted', () => clusterHistory.sequencerStarted());
  controller.on('handsOver', (to, cause) => clusterHistory.handsOver(to, cause));
  if (webhookUrl === '') return { clusterHistory, webhook: undefined };
  const webhook = new Webhook({
    url: webhookUrl,
    clusterId: () => raft.identity.clusterId,
    onOutcome: (outcome) => metrics.posted(outcome),
    ...{ logger, sleep },
  });
  clusterHistory.on('entry', (entry) => {
    // Every member applies every entry.
    if (raft.isReadyLeader) webhook.send(entry);
  });
  return { clusterHistory, webhook };
}
