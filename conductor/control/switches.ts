/** Who decides that a node pauses: the flag `--paused`, its founding of a cluster, an operator, or doubt. */
export type PausedBy = 'flag' | 'unreadable-file' | KeptPausedBy;

/** Decisions that hold until `conductor_resume`, also after a restart. */
export type KeptPausedBy = 'bootstrap' | 'conductor_pause';

/** A pause in force. */
export interface Pause<By extends PausedBy = PausedBy> {
  by: By;
  /** Wall clock in milliseconds. */
  sinceMs: number;
}

/** Where the pause is kept while no process runs. Writes end in the order of their calls. */
export interface PauseStore {
  read(): Promise<Pause | null>;
  write(pause: Pause<KeptPausedBy> | null): Promise<void>;
}

/** What operators have switched, and the end of the process; the control loop and the RPC's answers go by it. */
export class Switches {
  /** For good: the process is about to end. */
  stopped = false;
  /** Answers say that this node leads; neither Raft nor the sequencer is touched. */
  leaderOverridden = false;
  private current: Pause | null;
  private store: PauseStore | undefined;
  private readonly byFlag: Pause<'flag'> | null;
  /** The pause that comes with the cluster that this process is to found. */
  private ofFounding: Pause | undefined;

  constructor({ paused }: { paused: boolean }) {
    this.byFlag = paused ? { by: 'flag', sinceMs: Date.now() } : null;
    this.current = this.byFlag;
  }

  /** Takes over the pause that an earlier process left. From here on pauses outlive this one, too. */
  async restore(store: PauseStore): Promise<void> {
    this.store = store;
    this.current = (await store.read()) ?? this.current;
  }

  /** Null while nothing is paused. */
  get pause(): Readonly<Pause> | null {
    return this.current;
  }

  get paused(): boolean {
    return this.current !== null;
  }

  /** The control loop may act. */
  get active(): boolean {
    return !this.paused && !this.stopped;
  }

  /** In force at once, and for good when it resolves. @throws StorageError */
  async setPause(by: KeptPausedBy): Promise<void> {
    const { current } = this;
    // Until somebody resumes, the first who paused is named.
    const pause = current && isKept(current) ? { ...current } : { by, sinceMs: Date.now() };
    this.current = pause;
    if (by === 'bootstrap') this.ofFounding = pause;
    await this.store?.write(pause);
  }

  /** This process has founded no cluster after all: its pause ends, but for the flag's. @throws StorageError */
  async foundedNothing(): Promise<void> {
    // A pause or resume in the meantime prevails.
    if (this.ofFounding === undefined || this.current !== this.ofFounding) return;
    await this.endPause();
    this.current ??= this.byFlag;
  }

  /** In force when it resolves: a process that dies before comes back paused. @throws StorageError */
  async endPause(): Promise<void> {
    const { current } = this;
    await this.store?.write(null);
    // A pause in the meantime comes later, on the disk as well.
    if (this.current === current) this.current = null;
  }
}

function isKept(pause: Pause): pause is Pause<KeptPausedBy> {
  return pause.by === 'bootstrap' || pause.by === 'conductor_pause';
}
