import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { RaftNode, RaftNodeEvents } from '../../raft/index.js';
import { HISTORY_SCHEMA_VERSION, type History, type HistoryEntry } from '../../rpc/server/history.js';
import type { CallerIdentity } from '../../rpc/server/json-rpc/caller.js';
import type { ChangeReport } from '../../rpc/server/json-rpc/call-report.js';
import type { ChainState, CommittedHead, Verdict } from '../chain/chain-state.js';
import type { ClusterRecords, JournalEntry } from '../chain/cluster-records.js';
import type { ClusterRecord } from '../chain/record.js';
import type { RecordDraft } from '../commit/recorder.js';
import type { Sleep } from '../time/sleep.js';
import { blocksText, changeText } from './describe-entry.js';
import { handOverDraft, handOverOf, HAND_OVER } from './hand-over-record.js';
import type { HandOverCause } from './leadership-change.js';
import { LeadershipWatch } from './leadership-watch.js';
import { operationDraft, paramsText } from './operation.js';
import { Outbox } from './outbox.js';
import { QuorumWatch } from './quorum-watch.js';
import { RoutineCalls } from './routine-calls.js';

interface ClusterHistoryOptions {
  raft: Pick<RaftNode<unknown>, 'nodeId' | 'status' | 'timing' | 'peerTroubles'> &
    EventEmitter<RaftNodeEvents>;
  chain: Pick<ChainState, 'head' | 'blockAt'>;
  records: Pick<ClusterRecords, 'journal'>;
  /** A record of an event here and now. @throws RpcError `invalid-record` */
  make: (draft: RecordDraft) => ClusterRecord;
  /** Writes it to the log. @throws RpcError */
  put: (record: ClusterRecord) => Promise<void>;
  sleep: Sleep;
  signal?: AbortSignal;
  logger: Logger;
}

interface ClusterHistoryEvents {
  /** Each member reports an entry once: when it has applied it, unless the entry is old. */
  entry: [entry: HistoryEntry];
}

/** The events of the cluster: logged where they are noticed, and recorded for all members. */
export class ClusterHistory extends EventEmitter<ClusterHistoryEvents> {
  private readonly leadership: LeadershipWatch;
  private readonly outbox: Outbox;
  private readonly routine = new RoutineCalls();

  constructor(private readonly options: ClusterHistoryOptions) {
    super();
    const { raft, chain, logger } = options;
    this.outbox = new Outbox(options);
    raft.on('role', ({ leader }) => {
      if (leader !== null) this.outbox.tryNow();
    });
    new QuorumWatch({ raft, logger });
    const lastRecordedLeader = (): string | null => this.lastRecordedLeader();
    this.leadership = new LeadershipWatch({ raft, chain, lastRecordedLeader });
    this.leadership.on('changed', (change, handOver) => {
      const who = handOver?.who ?? {};
      logger.warn({ ...change, who }, `${changeText(change, who)}; ${blocksText(change)}`);
      this.record({ kind: 'leadership', what: 'leadership', who, details: { ...change } });
    });
  }

  /** All retained entries since then, by the wall clocks of the members that noticed them. */
  since(sinceMs: number): History {
    const { records, raft } = this.options;
    const entries = records.journal.map(({ record }) => entryOf(record));
    return {
      schemaVersion: HISTORY_SCHEMA_VERSION,
      answeredBy: raft.nodeId,
      entries: entries.filter(({ kind, atMs }) => kind !== HAND_OVER && atMs >= sinceMs),
    };
  }

  /** A call that changes something has ended. */
  called(report: ChangeReport): void {
    if (report.isRoutine && !this.routine.isNews(report)) return;
    const { logger } = this.options;
    const { method, params, by, failure } = report;
    const operation = operationDraft(report);
    const line = { method, params: paramsText(params), by, result: operation.result };
    if (failure) logger.warn(line, 'a change was asked for');
    else logger.info(line, 'a change was asked for');
    this.record(operation);
  }

  /** This member is about to give leadership away. */
  handsOver(to: string | null, cause: HandOverCause, by?: CallerIdentity): void {
    const { raft, put, logger } = this.options;
    const handOver = { from: raft.nodeId, term: raft.status().term, cause, who: by ?? {} };
    // Not queued behind waiting records: it is only useful if it is in the log before the transfer.
    const record = this.made(handOverDraft(handOver, to));
    void (record && put(record))?.catch((error: Error) =>
      logger.debug({ reason: error.message }, 'the hand-over was not announced'),
    );
  }

  /** A record was applied. */
  recorded({ record }: JournalEntry): void {
    const handOver = handOverOf(record);
    if (handOver) this.leadership.handsOver(handOver);
    else this.emit('entry', entryOf(record));
  }

  /** A command of the chain was applied. */
  applied(head: CommittedHead, verdict: Verdict): void {
    this.leadership.applied(head, verdict);
  }

  /** The local sequencer was started. */
  sequencerStarted(): void {
    this.leadership.sequencerStarted();
  }

  private record(draft: RecordDraft): void {
    const record = this.made(draft);
    if (record) this.outbox.add(record);
  }

  /** Undefined if it is too long: a failure to record must not stop anything. */
  private made(draft: RecordDraft): ClusterRecord | undefined {
    const { make, logger } = this.options;
    try {
      return make(draft);
    } catch (error) {
      logger.warn({ reason: (error as Error).message, what: draft.what }, 'not recorded');
      return undefined;
    }
  }

  private lastRecordedLeader(): string | null {
    const { record } =
      this.options.records.journal.findLast(({ record }) => record.kind === 'leadership') ?? {};
    return record?.node ?? null;
  }
}

function entryOf({ id, atMs, node, kind, who, what, result, details }: ClusterRecord): HistoryEntry {
  return { id, atMs, node, kind, who, what, result, details };
}
