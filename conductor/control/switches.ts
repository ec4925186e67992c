import { randomUUID } from 'node:crypto';

/** What pauses a node: the flag `--paused`, the pause of the whole cluster, doubt, or one of the kept decisions. */
export type PausedBy = 'flag' | 'cluster' | 'unreadable-file' | KeptPausedBy;

/** Decisions that hold until `conductor_resume`, also after a restart: its founding of a cluster, an operator. */
export type KeptPausedBy = 'bootstrap' | 'conductor_pause';

/** What an operator says about a pause. */
export interface PauseDetails {
  /** Wall clock in milliseconds at which it ends by itself; absent: not before a resume. */
  untilMs?: number | undefined;
  owner?: string | undefined;
  reason?: string | undefined;
}

/** A pause in force. */
export interface Pause<By extends PausedBy = PausedBy> extends PauseDetails {
  by: By;
  /** Wall clock in milliseconds. */
  sinceMs: number;
  /** Of an operator: random, and the id of its record. */
  id?: string | undefined;
  /** Where in the log its record is; absent until it is known to be there. */
  logIndex?: number | undefined;
}

/** A pause that the log has. */
export interface LoggedPause extends PauseDetails {
  id: string;
  logIndex: number;
  sinceMs: number;
}

/** What is kept while no process runs. */
export interface KeptSwitches {
  /** The pause of this node; null: an operator resumed. */
  paused: Pause<KeptPausedBy> | null;
  /** Ids of pauses of this node that ended here, until the log no longer has them. */
  resumed?: readonly string[] | undefined;
  /** The pause of the whole cluster, as last seen. */
  cluster?: LoggedPause | undefined;
}

/** Where the switches are kept while no process runs. Writes end in the order of their calls. */
export interface PauseStore {
  /** Undefined when nothing was ever kept. */
  read(): Promise<{ paused: Pause | null } & Omit<KeptSwitches, 'paused'>>;
  write(switches: KeptSwitches): Promise<void>;
}

/** The pauses in the log that concern this node, as far as this node has applied the log. */
export interface LoggedPauses {
  cluster: LoggedPause | undefined;
  member: LoggedPause | undefined;
  appliedIndex: number;
}

/** Pauses that ended while nothing could be recorded. */
const RESUMED_MAX = 8;

/**
 * Operators' switches, and the end of the process; the control loop and the RPC's answers follow them.
 *
 * A node is paused while its own pause, that of its member in the log, or that of the cluster is in force. Each of them
 * ends only by its own resume, or when its time is up by the clock of this node.
 */
export class Switches {
  /** For good: the process is about to end. */
  stopped = false;
  /** Answers say that this node leads; neither Raft nor the sequencer is touched. */
  leaderOverridden = false;
  private current: Pause | null;
  /** As last asked to be written. */
  private kept: KeptSwitches = { paused: null };
  private resumed: readonly string[] = [];
  private logged: () => LoggedPauses = () => ({ cluster: undefined, member: undefined, appliedIndex: 0 });
  private store: PauseStore | undefined;
  private readonly byFlag: Pause<'flag'> | null;
  /** The pause that comes with the cluster that this process must found. */
  private ofFounding: Pause | undefined;

  constructor({ paused }: { paused: boolean }) {
    this.byFlag = paused ? { by: 'flag', sinceMs: Date.now() } : null;
    this.current = this.byFlag;
  }

  /** Takes over the pause that an earlier process left. From here on, pauses also outlive this process. */
  async restore(store: PauseStore): Promise<void> {
    this.store = store;
    const { paused, resumed, cluster } = await store.read();
    this.kept = { paused: paused && isKept(paused) ? paused : null, resumed, cluster };
    this.current = paused ?? this.current;
    this.resumed = resumed ?? [];
  }

  /** Null while nothing is paused. */
  get pause(): Readonly<Pause> | null {
    const { member } = this.logged();
    if (this.own) return this.own;
    if (member && inForce(member) && !this.resumed.includes(member.id))
      return { ...member, by: 'conductor_pause' };
    return this.clusterPause ? { ...this.clusterPause, by: 'cluster' } : null;
  }

  /** That of this node alone. */
  get own(): Readonly<Pause> | null {
    return this.current && inForce(this.current) ? this.current : null;
  }

  /** That of the whole cluster. */
  get clusterPause(): Readonly<LoggedPause> | null {
    const { cluster: kept } = this.kept;
    const { cluster: inLog, appliedIndex } = this.logged();
    // The log of a process that just started may not reach as far as that of the previous process.
    const cluster = kept && kept.logIndex > appliedIndex ? kept : inLog;
    return cluster && inForce(cluster) ? cluster : null;
  }

  get paused(): boolean {
    return this.pause !== null;
  }

  /** The control loop may act. */
  get active(): boolean {
    return !this.paused && !this.stopped;
  }

  /** Changes of this node that the log does not have yet, or must forget. */
  get unsettled(): { pause: Readonly<Pause> | null; resumed: readonly string[] } {
    return { pause: this.current, resumed: this.resumed };
  }

  /** In force at once, and for good when it resolves. @throws StorageError */
  async setPause(by: KeptPausedBy, details: PauseDetails = {}): Promise<void> {
    const { own } = this;
    // Until an operator resumes, the longest pause is named, and the first of equals.
    const goesOn = own !== null && isKept(own) && endOf(own) >= endOf(details);
    const id = by === 'conductor_pause' ? { id: randomUUID() } : {};
    const pause = goesOn ? { ...own } : { by, sinceMs: Date.now(), ...id, ...details };
    this.current = pause;
    if (by === 'bootstrap') this.ofFounding = pause;
    await this.keep({ ...this.kept, paused: pause });
  }

  /** This process has founded no cluster after all: its pause ends, except the flag's. @throws StorageError */
  async foundedNothing(): Promise<void> {
    // A pause or resume in the meantime prevails.
    if (this.ofFounding === undefined || this.current !== this.ofFounding) return;
    await this.endPause();
    this.current ??= this.byFlag;
  }

  /** In force when it resolves: a process that dies before comes back paused. @throws StorageError */
  async endPause(): Promise<void> {
    const { current } = this;
    const ended = [current?.id, this.logged().member?.id].filter((id) => id !== undefined);
    const resumed = [...new Set([...(this.kept.resumed ?? []), ...ended])].slice(-RESUMED_MAX);
    await this.keep({ ...this.kept, paused: null, resumed: resumed.length > 0 ? resumed : undefined });
    this.resumed = resumed;
    // A pause in the meantime comes later, also on disk.
    if (this.current === current) this.current = null;
  }

  /** @param logged what the log has by now; in force as soon as it is there */
  follow(logged: () => LoggedPauses): void {
    this.logged = logged;
  }

  /** Keeps the pause of the cluster that is in force. @throws StorageError */
  async keepClusterPause(): Promise<void> {
    const { cluster, appliedIndex } = this.logged();
    const { cluster: kept } = this.kept;
    if (cluster?.id === kept?.id || (kept && kept.logIndex > appliedIndex)) return;
    await this.keep({ ...this.kept, cluster });
  }

  /** Its own pause has its record in the log. @throws StorageError */
  async noteRecorded(id: string, logIndex: number): Promise<void> {
    const { current } = this;
    if (current?.id !== id || this.kept.paused?.id !== id || !isKept(current)) return;
    const pause = { ...current, logIndex };
    this.current = pause;
    await this.keep({ ...this.kept, paused: pause });
  }

  /** From now on, its own pause is this one, which the log has. @throws StorageError */
  async adopt(logged: LoggedPause): Promise<void> {
    // An operator is resuming at this moment.
    if (this.kept.paused?.id !== this.current?.id) return;
    const pause: Pause<KeptPausedBy> = { ...logged, by: 'conductor_pause' };
    this.current = pause;
    await this.keep({ ...this.kept, paused: pause });
  }

  /** The log has forgotten the pauses that ended here. @throws StorageError */
  async forgetResumed(): Promise<void> {
    if (this.kept.resumed === undefined) return;
    this.resumed = [];
    await this.keep({ ...this.kept, resumed: undefined });
  }

  private async keep(kept: KeptSwitches): Promise<void> {
    this.kept = kept;
    await this.store?.write(kept);
  }
}

function isKept(pause: Pause): pause is Pause<KeptPausedBy> {
  return pause.by === 'bootstrap' || pause.by === 'conductor_pause';
}

const endOf = ({ untilMs }: PauseDetails): number => untilMs ?? Infinity;

const inForce = (pause: PauseDetails): boolean => endOf(pause) > Date.now();
