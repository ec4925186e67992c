import type { EventEmitter } from 'node:events';
import type { HealthReport } from '../../health/health-report.js';
import type { ControlEvents } from '../control/control-events.js';
import { DEFAULT_BUCKETS, type Families } from './families.js';
import { healthErrorText } from './health-errors.js';

/** What the control loop does, by op-conductor's names. */
export class ConductorMetrics {
  private readonly healthChecks;
  private readonly transfers;
  private readonly starts;
  private readonly stops;
  private readonly stateChanges;
  private readonly loop;

  constructor(families: Families) {
    this.healthChecks = families.counter(
      'op_conductor_healthchecks_count',
      'Number of healthchecks',
      'success',
      'error',
    );
    this.transfers = families.counter(
      'op_conductor_leader_transfers_count',
      'Number of leader transfers',
      'success',
    );
    this.starts = families.counter(
      'op_conductor_sequencer_starts_count',
      'Number of sequencer starts',
      'success',
    );
    this.stops = families.counter(
      'op_conductor_sequencer_stops_count',
      'Number of sequencer stops',
      'success',
    );
    this.stateChanges = families.counter(
      'op_conductor_state_changes_count',
      'Number of state changes',
      'leader',
      'healthy',
      'active',
    );
    this.loop = families.histogram(
      'op_conductor_loop_execution_time',
      'Time (in seconds) to execute conductor loop iteration',
      DEFAULT_BUCKETS,
    );
  }

  healthChecked(report: HealthReport): void {
    this.healthChecks.inc({ success: String(report.healthy), error: healthErrorText(report) });
  }

  watch(controller: EventEmitter<ControlEvents>): void {
    controller.on('transferred', (success) => this.transfers.inc({ success: String(success) }));
    controller.on('sequencerStarted', (wasStopped) => this.starts.inc({ success: String(wasStopped) }));
    controller.on('sequencerStopped', (wasRunning) => this.stops.inc({ success: String(wasRunning) }));
    controller.on('stateChanged', ({ leader, healthy, active }) =>
      this.stateChanges.inc({ leader: String(leader), healthy: String(healthy), active: String(active) }),
    );
    controller.on('turn', (durationMs) => this.loop.observe(durationMs / 1000));
  }
}
