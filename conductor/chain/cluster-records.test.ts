import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { recordOf } from '../testing/chain.js';
import {
  ClusterRecords,
  JOURNAL_BYTES_MAX,
  JOURNAL_ENTRIES_MAX,
  type RecordsState,
} from './cluster-records.js';
import type { ClusterRecord, RecordChange } from './record.js';

const ids = (records: ClusterRecords): string[] => records.journal.map(({ record }) => record.id);

describe('ClusterRecords', () => {
  it('keeps what was recorded, in the order of the log, and what it decided', () => {
    const records = new ClusterRecords();
    expect(records.isEmpty).toBe(true);
    records.apply(recordOf('r1', { change: { type: 'pause', member: null, untilMs: null } }), 7);
    records.apply(recordOf('r2', { kind: 'leadership', what: 'elected' }), 9);
    expect(records.isEmpty).toBe(false);
    expect(records.journal.map(({ logIndex, record }) => [logIndex, record.id])).toEqual([
      [7, 'r1'],
      [9, 'r2'],
    ]);
    expect(records.maintenance.cluster).toMatchObject({ id: 'r1', logIndex: 7, who: { owner: 'a test' } });
  });

  it('takes the same record once, however often it is in the log', () => {
    const records = new ClusterRecords();
    const paused = recordOf('r1', { change: { type: 'pause', member: null, untilMs: null } });
    records.apply(paused, 1);
    records.apply(recordOf('r2', { change: { type: 'resume', member: null, pauseId: null } }), 2);
    expect(records.apply(paused, 3)).toEqual({ type: 'recorded', isRepeated: true });
    expect(ids(records)).toEqual(['r1', 'r2']);
    expect(records.maintenance.cluster).toBeNull();
  });

  it('keeps the newest, so many at most; decisions stay in force when their record is gone', () => {
    const records = new ClusterRecords();
    records.apply(recordOf('halt', { change: { type: 'halt' } }), 1);
    for (let at = 2; at <= JOURNAL_ENTRIES_MAX + 1; at++) records.apply(recordOf(`r${at}`), at);
    expect(records.journal).toHaveLength(JOURNAL_ENTRIES_MAX);
    expect(ids(records)[0]).toBe('r2');
    expect(records.maintenance.halt?.id).toBe('halt');
  });

  it('keeps no more bytes than it may, counted as they stand in the log', () => {
    const records = new ClusterRecords();
    const details = { text: 'é'.repeat(2500) };
    for (let at = 1; at <= 100; at++) records.apply(recordOf(`r${at}`, { details }), at);
    const bytes = records.journal.map(({ record }) => Buffer.byteLength(JSON.stringify(record)));
    const sum = bytes.reduce((total, each) => total + each, 0);
    expect(sum).toBeLessThanOrEqual(JOURNAL_BYTES_MAX);
    expect(sum + bytes[0]!).toBeGreaterThan(JOURNAL_BYTES_MAX);
  });

  it('goes on from any state in between to the same end', () => {
    const member = fc.constantFrom(null, 'a', 'b');
    const untilMs = fc.constantFrom(null, 10, 20);
    const change = fc.oneof<fc.Arbitrary<RecordChange | undefined>[]>(
      fc.constant(undefined),
      fc.record({ type: fc.constant('pause' as const), member, untilMs }),
      fc.record({ type: fc.constant('resume' as const), member, pauseId: fc.constantFrom(null, 'r1', 'r2') }),
      fc.constantFrom({ type: 'halt' as const }, { type: 'endHalt' as const }),
    );
    const record = fc
      .record({ id: fc.nat(40), change, size: fc.nat(4000) })
      .map(({ id, change: made, size }): ClusterRecord =>
        recordOf(`r${id}`, { details: { text: 'x'.repeat(size) }, ...(made && { change: made }) }),
      );
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 60 }), fc.nat(60), (log, cut) => {
        const plain = new ClusterRecords();
        const restored = new ClusterRecords();
        restored.apply(recordOf('of another log'), 1);
        log.forEach((each, at) => {
          plain.apply(each, at + 1);
          if (at < cut) restored.startFrom(JSON.parse(JSON.stringify(plain.state())) as RecordsState);
          else restored.apply(each, at + 1);
        });
        if (cut > 0) expect(restored.state()).toEqual(plain.state());
      }),
      { numRuns: 60 },
    );
  });
});
