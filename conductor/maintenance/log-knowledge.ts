import type { CoreStatus } from '../../raft/index.js';

interface LogKnowledgeOptions {
  status: () => Pick<CoreStatus, 'role' | 'ready' | 'leader' | 'appliedIndex'>;
  /** How far the member that leads has applied the log. */
  appliedByLeader: (leader: string, timeoutMs: number) => Promise<number>;
  /** Steady clock. */
  now: () => number;
}

const ASK_TIMEOUT_MS = 1000;
/** Without a leader nothing can be committed, so nothing done here is published. */
const NO_LEADER_MS = 3000;
/**
 * A leader that cannot be asked for so long, as one at another address than the listed one, must not keep this node from
 * acting for good: the sequencer of a follower would run on. What it has of the log is what it goes by then.
 */
const NOT_TOLD_MS = 10_000;

/**
 * Whether this process knows the log as far as it went when it first heard of a leader. Before that, it may lack the pause
 * that it is to obey: it was down, or its disk is new.
 */
export class LogKnowledge {
  private isComplete = false;
  private isAsking = false;
  /** The log went so far. */
  private goal: number | undefined;
  /** When a leader was asked for the first time. */
  private askedMs: number | undefined;
  private readonly sinceMs: number;

  constructor(private readonly options: LogKnowledgeOptions) {
    this.sinceMs = options.now();
  }

  /** True for good, once it is. Asks the leader in the background. */
  get isKnown(): boolean {
    this.isComplete ||= this.look();
    return this.isComplete;
  }

  private look(): boolean {
    const { role, ready, leader, appliedIndex } = this.options.status();
    if (role === 'leader') return ready;
    if (this.goal !== undefined) return appliedIndex >= this.goal;
    if (leader === null) return this.options.now() - this.sinceMs > NO_LEADER_MS;
    void this.ask(leader);
    this.askedMs ??= this.options.now();
    return this.goal === undefined && this.options.now() - this.askedMs > NOT_TOLD_MS;
  }

  private async ask(leader: string): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      this.goal = await this.options.appliedByLeader(leader, ASK_TIMEOUT_MS);
    } catch {
      // Asked again at the next look.
    } finally {
      this.isAsking = false;
    }
  }
}
