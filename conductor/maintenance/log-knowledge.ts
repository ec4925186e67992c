import type { CoreStatus } from '../../raft/index.js';

interface LogKnowledgeOptions {
  status: () => Pick<CoreStatus, 'role' | 'ready' | 'leader' | 'appliedIndex'>;
  /** How far the leader has applied the log. */
  appliedByLeader: (leader: string, timeoutMs: number) => Promise<number>;
  /** Steady clock. */
  now: () => number;
}

const ASK_TIMEOUT_MS = 1000;
/** Without a leader nothing can be committed, so nothing that this node does is published. */
const NO_LEADER_MS = 3000;
/**
 * A leader that cannot be asked for this long, such as one at another address than the listed one, must not keep this
 * node from acting forever: the sequencer of a follower would keep running. It then uses the part of the log it has.
 */
const NOT_TOLD_MS = 10_000;

/**
 * Whether this process knows the log up to where it ended when the process first heard of a leader. Before that, it may
 * lack a pause that it must obey: it was down, or its disk is new.
 */
export class LogKnowledge {
  private isComplete = false;
  private isAsking = false;
  /** Where the log ended then. */
  private goal: number | undefined;
  /** When the leader was first asked. */
  private askedMs: number | undefined;
  private readonly sinceMs: number;

  constructor(private readonly options: LogKnowledgeOptions) {
    this.sinceMs = options.now();
  }

  /** Stays true once it is. Asks the leader in the background. */
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
