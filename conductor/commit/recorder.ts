import { randomUUID } from 'node:crypto';
import type { CoreStatus } from '../../raft/index.js';
import { DeadlineExceeded, withDeadline } from '../../common/deadline.js';
import { z } from 'zod';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { ClusterRecords } from '../chain/cluster-records.js';
import { encodeCommand } from '../chain/log-command.js';
import { RECORD_BYTES_MAX, recordSchema, type ClusterRecord } from '../chain/record.js';
import { ensureDone } from './ensure-done.js';
import type { Log } from './payload-committer.js';
import { RecordRate } from './record-rate.js';

/** What the one who records it knows; the rest is added here. */
export type RecordDraft = Pick<ClusterRecord, 'kind' | 'what'> &
  Partial<Pick<ClusterRecord, 'id' | 'atMs' | 'who' | 'result' | 'details' | 'change'>>;

interface RecorderOptions {
  log: Pick<Log, 'isReadyLeader' | 'propose' | 'readBarrier'>;
  nodeId: string;
  records: Pick<ClusterRecords, 'isEmpty' | 'has'>;
  role: () => { role: CoreStatus['role']; leader: string | null };
  /** Members that are not known to read records; asks those that are to be asked, within a second. */
  cannotRead: () => Promise<readonly string[]>;
  /** Has `conductor_record` carried out by the leader. @throws RpcError */
  atLeader: (leader: string, record: ClusterRecord, timeoutMs: number) => Promise<void>;
  sleep: (ms: number) => Promise<void>;
  /** Wall clock. */
  now: () => number;
  /** Steady clock. */
  steadyNow: () => number;
}

/** Longest that a record may take altogether; nobody waits for it with a block. */
const DEADLINE_MS = 5000;
const LOOK_MS = 50;

/** After these another attempt may find a leader; a record that is in the log already has its effect once. */
const PASSING: readonly string[] = [
  'not-leader',
  'no-leader',
  'unknown-outcome',
  'transfer-in-progress',
  'too-many-uncommitted',
  'leader-not-asked',
];

/**
 * Puts records into the log, from any member. They take no turns with blocks: a record does not concern the chain, so a
 * block never waits for one.
 */
export class Recorder {
  private readonly rate: RecordRate;

  constructor(private readonly options: RecorderOptions) {
    this.rate = new RecordRate(options.steadyNow);
  }

  /** Records something that happens here and now. Resolves once it is committed. @throws RpcError as `make` and `put` */
  async record(draft: RecordDraft): Promise<ClusterRecord> {
    const record = this.make(draft);
    await this.put(record);
    return record;
  }

  /** A record of something that happens here and now. @throws RpcError `invalid-record` */
  make(draft: RecordDraft): ClusterRecord {
    const { nodeId, now } = this.options;
    return checked({
      id: draft.id ?? randomUUID(),
      atMs: Math.round(draft.atMs ?? now()),
      node: nodeId,
      kind: draft.kind,
      who: draft.who ?? {},
      what: draft.what,
      result: draft.result ?? 'done',
      details: draft.details ?? {},
      ...(draft.change && { change: draft.change }),
    });
  }

  /**
   * Puts a record of this member into the log. Resolves once it is committed.
   *
   * @throws RpcError: `unread-records` while some member would not understand it, `no-leader`, `rate-limited`,
   *   `unknown-outcome` when it may still be committed
   */
  async put(record: ClusterRecord): Promise<void> {
    const endMs = this.options.steadyNow() + DEADLINE_MS;
    let mayBeThere = false;
    for (;;) {
      try {
        await this.attempt(record, endMs);
        return;
      } catch (error) {
        if (this.options.records.has(record.id)) return;
        if (!(error instanceof RpcError) || !PASSING.includes(error.reason)) throw error;
        mayBeThere ||= error.reason === 'unknown-outcome';
        if (this.options.steadyNow() < endMs) await this.options.sleep(LOOK_MS);
        else throw mayBeThere && error.reason !== 'unknown-outcome' ? unknownOutcome(error) : error;
      }
    }
  }

  /** Proposes a record of any member, on the leader. @throws RpcError as `record` */
  async propose(given: unknown): Promise<void> {
    await this.proposeHere(checked(given), DEADLINE_MS);
  }

  private async attempt(record: ClusterRecord, endMs: number): Promise<void> {
    const { role, atLeader, steadyNow } = this.options;
    const remainingMs = Math.max(1, endMs - steadyNow());
    const { role: own, leader } = role();
    if (own === 'leader') return this.proposeHere(record, remainingMs);
    if (leader === null) throw new RpcError('nobody leads: nothing can be recorded', { reason: 'no-leader' });
    return atLeader(leader, record, remainingMs);
  }

  private async proposeHere(record: ClusterRecord, timeoutMs: number): Promise<void> {
    const { log, records } = this.options;
    try {
      await withDeadline(
        async () => {
          // A new leader knows the records only after the first commit of its term.
          if (!log.isReadyLeader) ensureDone(await log.readBarrier());
          if (records.has(record.id)) return;
          // Where records are in the log, everybody who reads the log reads them.
          if (records.isEmpty) await this.requireReaders();
          this.rate.take(record.change !== undefined);
          ensureDone(await log.propose(encodeCommand({ record })));
        },
        { timeoutMs },
      );
    } catch (error) {
      throw error instanceof DeadlineExceeded ? unknownOutcome(error) : error;
    }
  }

  private async requireReaders(): Promise<void> {
    const unread = await this.options.cannotRead();
    if (unread.length === 0) return;
    throw new RpcError(
      `nothing can be recorded yet: ${unread.join(', ')} ${unread.length === 1 ? 'is' : 'are'} not known to run a ` +
        'release that reads records; upgrade every member, and have each answer once',
      { reason: 'unread-records' },
    );
  }
}

/** @throws RpcError `invalid-record` */
function checked(given: unknown): ClusterRecord {
  const { data, error } = recordSchema.safeParse(given);
  if (!data)
    throw new RpcError(`this is no record: ${z.prettifyError(error).replaceAll('\n', ' ')}`, {
      reason: 'invalid-record',
    });
  const bytes = Buffer.byteLength(JSON.stringify(data));
  if (bytes <= RECORD_BYTES_MAX) return data;
  throw new RpcError(`the record has ${bytes} bytes; ${RECORD_BYTES_MAX} are the most`, {
    reason: 'invalid-record',
  });
}

function unknownOutcome(cause: unknown): RpcError {
  return new RpcError('it is not known whether this was recorded: no answer in time', {
    reason: 'unknown-outcome',
    cause,
  });
}
