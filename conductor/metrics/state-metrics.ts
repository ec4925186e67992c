import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { Families } from './families.js';

/** Gauges of the current state, which op-conductor lacks. They are read on each scrape. */
export class StateMetrics {
  private readonly leader;
  private readonly witness;
  private readonly healthy;
  private readonly active;
  private readonly paused;
  private readonly overridden;
  private readonly term;
  private readonly leaderTerm;
  private readonly headNumber;
  private readonly headAge;
  private readonly nodeLag;
  private readonly peerLag;
  private readonly peerContact;
  private readonly logBytes;

  constructor(families: Families) {
    this.leader = families.gauge('op_conductor_leader', '1 if this node is the leader of the cluster');
    this.witness = families.gauge(
      'op_conductor_witness',
      '1 if this node is a witness: it votes, and has no node',
    );
    this.healthy = families.gauge('op_conductor_healthy', '1 if the local node is healthy or degraded');
    this.active = families.gauge('op_conductor_active', '1 if the local sequencer is active');
    this.paused = families.gauge('op_conductor_paused', '1 if the control loop is paused');
    this.overridden = families.gauge(
      'op_conductor_leader_overridden',
      '1 while conductor_overrideLeader is in force',
    );
    this.term = families.gauge('op_conductor_term', 'Term of this node');
    this.leaderTerm = families.gauge(
      'sequencer_leader_term',
      'Term of the leader that this node follows or is; 0 while it knows none',
    );
    this.headNumber = families.gauge(
      'op_conductor_committed_head_number',
      'Height of the newest committed unsafe block that is applied on this node',
    );
    this.headAge = families.gauge(
      'op_conductor_committed_head_age_seconds',
      'Wall clock minus the timestamp of that block',
    );
    this.nodeLag = families.gauge(
      'op_conductor_node_lag_blocks',
      'Blocks that the local execution client is behind that block; negative if it is ahead',
    );
    this.peerLag = families.gauge(
      'op_conductor_peer_lag_entries',
      'Leader only: log entries that a member misses',
      'peer',
    );
    this.peerContact = families.gauge(
      'op_conductor_peer_last_contact_seconds',
      'Leader only: time since a member last answered',
      'peer',
    );
    this.logBytes = families.gauge('op_conductor_raft_log_bytes', 'Size of the retained log');
  }

  /** @param nowMs wall clock */
  set(status: ConductorStatus, nowMs: number): void {
    this.leader.set(Number(status.role === 'leader'));
    this.witness.set(Number(status.witness));
    this.healthy.set(Number(status.health.status !== 'unhealthy'));
    this.active.set(Number(status.node.sequencerActive === true));
    this.paused.set(Number(status.paused));
    this.overridden.set(Number(status.leaderOverridden));
    this.term.set(status.term);
    this.leaderTerm.set(status.leader === null ? 0 : status.term);
    this.logBytes.set(status.logBytes);
    this.headNumber.set(status.head?.number ?? 0);
    // An age of 0 would look fresh.
    const timestamp = status.head?.timestamp ?? NaN;
    this.headAge.set(nowMs / 1000 - timestamp);
    this.nodeLag.set(status.node.lagBlocks ?? NaN);
    this.peerLag.reset();
    this.peerContact.reset();
    for (const { id, lagEntries, lastContactMs } of status.peers) {
      this.peerLag.set({ peer: id }, lagEntries);
      this.peerContact.set({ peer: id }, lastContactMs / 1000);
    }
  }
}
