/** Why a control loop gives leadership away: a code, and the reason in words. */
export interface HandOverCause {
  type: 'unhealthy' | 'hand-back' | 'shutdown';
  reason: string;
}

/** Events of a controller, for metrics and records. */
export interface ControlEvents {
  /** Leadership is about to be given away; null: to the best member. */
  handsOver: [to: string | null, cause: HandOverCause];
  /** The control loop has asked to hand leadership over. */
  transferred: [success: boolean];
  resumed: [];
  /** `wasStopped`: false when it was already running. */
  sequencerStarted: [wasStopped: boolean];
  /** `wasRunning`: false when it was already stopped. */
  sequencerStopped: [wasRunning: boolean];
  /** At least one of these has changed. */
  stateChanged: [state: State];
  /** The control loop has decided, and acted if necessary. */
  turn: [durationMs: number];
}

/** The inputs of op-conductor's control loop. */
export interface State {
  leader: boolean;
  healthy: boolean;
  /** The local sequencer runs. */
  active: boolean;
}

/** Whether two states are the same in every field. */
export function sameState(a: State, b: State): boolean {
  return a.leader === b.leader && a.healthy === b.healthy && a.active === b.active;
}
