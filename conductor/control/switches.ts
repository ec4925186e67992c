/** What operators have switched, and the end of the process; the control loop and the RPC's answers go by it. */
export class Switches {
  paused: boolean;
  /** For good: the process is about to end. */
  stopped = false;
  /** Answers say that this node leads; neither Raft nor the sequencer is touched. */
  leaderOverridden = false;

  constructor({ paused }: { paused: boolean }) {
    this.paused = paused;
  }

  /** The control loop may act. */
  get active(): boolean {
    return !this.paused && !this.stopped;
  }
}
