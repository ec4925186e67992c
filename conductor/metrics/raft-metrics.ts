import type { EventEmitter } from 'node:events';
import type { RaftNode, RaftNodeEvents } from '../../raft/index.js';
import type { ControlEvents } from '../control/control-events.js';
import { DEFAULT_BUCKETS, FINE_BUCKETS, type Families } from './families.js';

/** The Raft node that is measured. */
export type WatchedRaft = EventEmitter<RaftNodeEvents> & Pick<RaftNode<unknown>, 'nodeId'>;

/** What consensus does and how long it takes. */
export class RaftMetrics {
  private readonly commits;
  private readonly elections;
  private readonly write;
  private readonly failover;
  private readonly handover;
  private readonly usedTwice;
  private readonly reverted;
  /** When this node lost its leader or was told to take over, and which of the two. */
  private vacancy: { sinceMs: number; transfer: boolean } | undefined;

  constructor(
    families: Families,
    /** Monotonic clock. */
    private readonly now: () => number,
  ) {
    this.commits = families.counter(
      'consensus_commits_total',
      'Number of log entries that this node saw committed since its start',
    );
    this.elections = families.counter(
      'op_conductor_elections_total',
      'Number of elections in which this node stood, by cause: timeout, leader-gone, transfer or retry',
      'reason',
    );
    this.write = families.histogram(
      'op_conductor_raft_fsync_duration_seconds',
      'Duration of a synced write of the log',
      FINE_BUCKETS,
    );
    this.failover = families.histogram(
      'op_conductor_failover_duration_seconds',
      'Time from the loss of the leader, as noticed here, to the start of the sequencer here',
      DEFAULT_BUCKETS,
    );
    this.handover = families.histogram(
      'op_conductor_leader_transfer_duration_seconds',
      "Time from the old leader's request to take over to the start of the sequencer here",
      DEFAULT_BUCKETS,
    );
    this.usedTwice = families.counter(
      'op_conductor_identity_used_twice_total',
      'Number of times that two processes were found to speak for one peer, from copies of one disk',
      'peer',
    );
    this.reverted = families.gauge(
      'op_conductor_log_reverted',
      '1 if the disk of this node lost what it had confirmed: the node neither votes nor counts',
    );
  }

  watch(raft: WatchedRaft): void {
    raft.on('identityUsedTwice', (peer) => this.usedTwice.inc({ peer }));
    raft.on('reverted', ({ node }) => {
      if (node === raft.nodeId) this.reverted.set(1);
    });
    raft.on('committed', (entries) => this.commits.inc(entries));
    raft.on('stored', (durationMs) => this.write.observe(durationMs / 1000));
    raft.on('electionStarted', ({ prevote, cause }) => {
      const transfer = cause === 'transfer';
      if (transfer || this.vacancy === undefined) this.vacancy = { sinceMs: this.now(), transfer };
      if (!prevote) this.elections.inc({ reason: cause });
    });
    raft.on('role', ({ role, leader }) => {
      if (leader !== null && role !== 'leader') this.vacancy = undefined;
    });
  }

  watchStarts(controller: EventEmitter<ControlEvents>): void {
    // The time while it was paused says nothing about how fast it is.
    controller.on('resumed', () => (this.vacancy = undefined));
    controller.on('sequencerStarted', () => {
      const { vacancy } = this;
      this.vacancy = undefined;
      if (!vacancy) return;
      const seconds = (this.now() - vacancy.sinceMs) / 1000;
      (vacancy.transfer ? this.handover : this.failover).observe(seconds);
    });
  }
}
