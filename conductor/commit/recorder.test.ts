import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../raft/index.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import { ClusterRecords } from '../chain/cluster-records.js';
import { decodeCommand } from '../chain/log-command.js';
import type { ClusterRecord } from '../chain/record.js';
import { recordOf } from '../testing/chain.js';
import { virtualSleep } from '../testing/virtual-sleep.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';
import { Recorder, type RecordDraft } from './recorder.js';

const DRAFT: RecordDraft = { kind: 'operation', what: 'pause' };
const lost: Outcome<never> = { outcome: 'unknown', reason: 'leadership lost' };

let records: ClusterRecords;
let leader: string | null;
let unread: string[];
/** What the next proposals come to; then they are committed. `lost` may be in the log still. */
let outcomes: { outcome: Outcome<never>; isThere: boolean }[];
let barriers: number;
let handedOver: ClusterRecord[];
let atLeader: (record: ClusterRecord) => Promise<void>;
let recorder: Recorder;

useVirtualTime();

/** Records, and lets time pass until that has ended. */
async function record(draft = DRAFT): Promise<ClusterRecord> {
  const recording = recorder.record(draft);
  recording.catch(() => undefined);
  await pass(6000);
  return recording;
}

beforeEach(() => {
  records = new ClusterRecords();
  leader = 'a';
  unread = [];
  outcomes = [];
  barriers = 0;
  handedOver = [];
  atLeader = async () => undefined;
  recorder = new Recorder({
    log: {
      isReadyLeader: false,
      readBarrier: async () => ({ outcome: 'done', index: ++barriers, term: 1 }),
      propose: async (data) => {
        const next = outcomes.shift();
        const record = decodeCommand(data).record as ClusterRecord;
        const index = records.journal.length + 1;
        const isThere = next?.isThere ?? true;
        const result = isThere
          ? records.apply(record, index)
          : { type: 'recorded' as const, isRepeated: false };
        return next?.outcome ?? { outcome: 'done', index, term: 1, result };
      },
    },
    nodeId: 'a',
    records,
    role: () => ({ role: leader === 'a' ? 'leader' : 'follower', leader }),
    cannotRead: async () => unread,
    atLeader: async (_, record) => {
      handedOver.push(record);
      await atLeader(record);
    },
    sleep: virtualSleep,
    now: () => 1_700_000_000_000,
    steadyNow: () => performance.now(),
  });
});

describe('Recorder', () => {
  it('puts a record into the log, with where and when, once this leader knows the log', async () => {
    const who = { owner: 'alice', reason: 'L1 incident' };
    const record = await recorder.record({ ...DRAFT, who });
    expect(record).toMatchObject({ ...DRAFT, who, node: 'a', atMs: 1_700_000_000_000, result: 'done' });
    expect(records.journal.map((entry) => entry.record)).toEqual([record]);
    expect(barriers).toBe(1);
  });

  it('waits with the first record for members that would end at it, and names them', async () => {
    unread = ['b', 'c'];
    const refused = { reason: 'unread-records', message: expect.stringContaining('b, c are not known') };
    await expect(recorder.record(DRAFT)).rejects.toMatchObject(refused);
    expect(records.isEmpty).toBe(true);
    unread = [];
    await recorder.record(DRAFT);
    // From here on everybody has read one.
    unread = ['b'];
    await recorder.record(DRAFT);
    expect(records.journal).toHaveLength(2);
  });

  it('has the leader do it', async () => {
    leader = 'b';
    const record = await recorder.record(DRAFT);
    expect(handedOver).toEqual([record]);
    expect(records.isEmpty).toBe(true);
  });

  it('tries again at the next leader, and a record that was there already is there once', async () => {
    outcomes = [{ outcome: lost, isThere: true }];
    const first = await record();
    expect(records.journal.map(({ record }) => record.id)).toEqual([first.id]);
    leader = 'b';
    atLeader = async () => {
      atLeader = async () => undefined;
      leader = 'c';
      throw new RpcError('node is not the leader', { reason: 'not-leader' });
    };
    await record();
    expect(handedOver).toHaveLength(2);
    expect(handedOver[0]?.id).toBe(handedOver[1]?.id);
  });

  it('says that the outcome is not known, if it is not, also when nobody leads afterwards', async () => {
    outcomes = [{ outcome: lost, isThere: false }];
    const recording = record();
    leader = null;
    await expect(recording).rejects.toMatchObject({ reason: 'unknown-outcome' });
  });

  it('ends after a while when nobody leads', async () => {
    leader = null;
    const began = performance.now();
    const ended = recorder
      .record(DRAFT)
      .catch((error: RpcError) => [error.reason, performance.now() - began]);
    await pass(6000);
    expect(await ended).toEqual(['no-leader', 5000]);
  });

  it('keeps records from filling the log, and leaves room for decisions', async () => {
    const propose = (id: string): Promise<void> => recorder.propose(recordOf(id));
    for (let at = 0; at < 20; at++) await propose(`r${at}`);
    await expect(propose('one more')).rejects.toMatchObject({ reason: 'rate-limited' });
    await recorder.propose(recordOf('halt', { change: { type: 'halt' } }));
    await pass(500);
    await propose('later');
    expect(records.journal).toHaveLength(22);
  });

  it.each<[string, unknown]>([
    ['has not the shape', { ...recordOf('r1'), kind: 'Operation!' }],
    ['is too long', recordOf('r1', { details: { text: 'x'.repeat(9000) } })],
  ])('refuses what %s', async (_, record) => {
    await expect(recorder.propose(record)).rejects.toMatchObject({ reason: 'invalid-record' });
    expect(records.isEmpty).toBe(true);
  });
});
