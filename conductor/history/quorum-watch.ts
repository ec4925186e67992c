import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { RaftNode, RaftNodeEvents } from '../../raft/index.js';

interface QuorumWatchOptions {
  raft: Pick<RaftNode<unknown>, 'nodeId' | 'status' | 'timing' | 'peerTroubles'> &
    EventEmitter<RaftNodeEvents>;
  logger: Logger;
}

const REMEDY =
  'bring back the voters that are missing; nothing else is safe. Only if a majority of the disks is gone for good: baton recover, see "quorum lost" in docs/RUNBOOK.md';

/** After this many election timeouts without a leader, it is not just a slow election. */
const PATIENCE_ELECTION_TIMEOUTS = 3;

/**
 * Reports that the cluster has lost its quorum, and that it is back: two lines, however often this member stands for
 * election between them. If the cluster has had no leader since this process started, it has not lost its quorum.
 */
export class QuorumWatch {
  private lostSince: { monotonicMs: number; wallMs: number } | undefined;
  private isTold = false;

  constructor(private readonly options: QuorumWatchOptions) {
    const { raft } = options;
    let hadLeader = false;
    raft.on('role', ({ leader }) => {
      if (leader !== null) {
        hadLeader = true;
        this.found(leader);
      } else if (hadLeader) {
        this.lostSince ??= { monotonicMs: performance.now(), wallMs: Date.now() };
      }
    });
    // Without a leader, a voter becomes a candidate several times a second.
    raft.on('electionStarted', () => this.look());
  }

  private found(leader: string): void {
    const { lostSince, isTold } = this;
    this.lostSince = undefined;
    this.isTold = false;
    if (!lostSince || !isTold) return;
    const afterMs = Math.round(performance.now() - lostSince.monotonicMs);
    this.options.logger.warn({ leader, afterMs }, 'the quorum is back: the cluster has a leader again');
  }

  private look(): void {
    const { lostSince, isTold } = this;
    const { raft, logger } = this.options;
    const patienceMs = PATIENCE_ELECTION_TIMEOUTS * raft.timing.electionTimeoutMs;
    if (!lostSince || isTold || performance.now() - lostSince.monotonicMs < patienceMs) return;
    const { members } = raft.status().configuration.configuration;
    const voters = members.filter(({ voter }) => voter).map(({ id }) => id);
    const silent = new Map(
      raft
        .peerTroubles()
        .filter(({ traffic }) => traffic === 'life')
        .map(({ peer, reason }) => [peer, reason]),
    );
    const missing = voters.filter((id) => silent.has(id));
    const answering = voters.length - missing.length;
    if (answering > voters.length / 2) return;
    this.isTold = true;
    logger.error(
      {
        code: 'no-quorum',
        missing: missing.map((id) => ({ id, reason: silent.get(id) })),
        since: new Date(lostSince.wallMs).toISOString(),
        remedy: REMEDY,
      },
      `no quorum: ${answering} of ${voters.length} voters ${answering === 1 ? 'answers' : 'answer'}, no block is committed; missing: ${missing.join(', ')}`,
    );
  }
}
