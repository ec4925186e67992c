import type { Logger } from 'pino';
import type { HealthMonitor } from '../../health/health-monitor.js';
import type { RaftNode } from '../../raft/index.js';
import type { ExecutionClient } from '../../rpc/clients/execution-client.js';
import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import type { ChainHistory } from '../chain/chain-history.js';
import type { ChainState, Verdict } from '../chain/chain-state.js';
import type { AskStatus } from './cluster-status.js';
import type { LocalNode } from '../control/local-node.js';
import type { MembershipService } from '../membership/membership-service.js';
import type { StatusSources } from './node-status.js';

export interface ConductorOptions extends StatusSources {
  raft: RaftNode<Verdict>;
  chain: ChainState;
  history: ChainHistory;
  membership: MembershipService;
  opNode: OpNodeClient;
  execution: ExecutionClient;
  localNode: LocalNode;
  health: HealthMonitor;
  askStatus: AskStatus;
  logger: Logger;
  /** `conductor_transferLeader` on a node that does not lead succeeds, as in op-conductor. */
  silentTransfer: boolean;
  paused: boolean;
  /** Hand leadership on in the order of ids, among those that are fit for it. */
  roundRobin: boolean;
  /** A peer that did not answer for this long is no successor. */
  peerTimeoutMs: () => number;
  /** How long an active sequencer's head may stand still before an old head counts against it. */
  progressGraceMs: number;
  /** A leader whose chain does not move for this long lets another node try. */
  stuckAfterMs: number;
  callTimeoutMs: number;
  /** Longest that the local node may take for its next step towards the committed head. */
  catchUpTimeoutMs: number;
}

/** What a conductor tells those who listen. */
export interface ConductorEvents {
  /** Somebody called `conductor_stop`. */
  stopRequested: [];
  /** The answer to `conductor_leader` may have changed. */
  leadershipChanged: [];
  // For those who count:
  /** The control loop has asked to hand leadership over. */
  transferred: [success: boolean];
  resumed: [];
  /** `wasStopped`: false when it ran already. */
  sequencerStarted: [wasStopped: boolean];
  /** `wasRunning`: false when it was stopped already. */
  sequencerStopped: [wasRunning: boolean];
  /** At least one of these has changed. */
  stateChanged: [state: State];
  /** The control loop has decided, and acted if there was something to do. */
  turn: [durationMs: number];
}

/** What op-conductor's control loop goes by. */
export interface State {
  leader: boolean;
  healthy: boolean;
  /** The local sequencer runs. */
  active: boolean;
}
