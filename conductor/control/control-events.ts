/** Why a control loop gives leadership away, and the reason in words. */
export interface HandOverCause {
  type: 'unhealthy' | 'hand-back' | 'shutdown';
  reason: string;
}

/** What a controller tells those who count and record. */
export interface ControlEvents {
  /** Leadership is about to be given away; null: to whoever is best. */
  handsOver: [to: string | null, cause: HandOverCause];
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

/** Whether two states are the same in every field. */
export function sameState(a: State, b: State): boolean {
  return a.leader === b.leader && a.healthy === b.healthy && a.active === b.active;
}
