import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import { ClusterRecords } from '../chain/cluster-records.js';
import type { ClusterRecord } from '../chain/record.js';
import type { RecordDraft } from '../commit/recorder.js';
import { Switches } from '../control/switches.js';
import { recordOf, silent } from '../testing/chain.js';
import { virtualSleep } from '../testing/virtual-sleep.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';
import { MaintenanceService } from './maintenance-service.js';

useVirtualTime();

let records: ClusterRecords;
let appliedIndex: number;
let isLeader: boolean;
let refusal: string | undefined;
let switches: Switches;
let service: MaintenanceService;
let resumed: number;
let ending: AbortController;

/** Commits and applies it. */
function apply(draft: RecordDraft): ClusterRecord {
  appliedIndex += 1;
  const record = recordOf(draft.id ?? `r${appliedIndex}`, { atMs: Date.now(), ...draft });
  records.apply(record, appliedIndex);
  return record;
}

const pauseRecord = (member: string | null, untilMs: number | null = null): RecordDraft => ({
  ...{ kind: 'operation', what: 'pause', who: { owner: 'alice', reason: 'L1 incident' } },
  change: { type: 'pause', member, untilMs },
});
const resumeRecord = (member: string | null): RecordDraft => ({
  ...{ kind: 'operation', what: 'resume' },
  change: { type: 'resume', member, pauseId: null },
});
const what = (): string[] =>
  records.journal.map(({ record }) => `${record.what} ${String(memberOf(record))}`);
const memberOf = ({ change }: ClusterRecord): unknown => change && 'member' in change && change.member;

beforeEach(() => {
  records = new ClusterRecords();
  appliedIndex = 0;
  isLeader = false;
  refusal = undefined;
  resumed = 0;
  switches = new Switches({ paused: false });
  ending = new AbortController();
  service = new MaintenanceService({
    nodeId: 'a',
    machine: {
      records,
      get appliedIndex() {
        return appliedIndex;
      },
    },
    recorder: {
      record: async (draft) => {
        if (refusal !== undefined) throw new RpcError(refusal, { reason: refusal });
        return apply(draft);
      },
    },
    controller: {
      pause: (details) => switches.setPause('conductor_pause', details),
      resume: () => switches.endPause(),
      resumed: () => (resumed += 1),
    },
    switches,
    isReadyLeader: () => isLeader,
    logger: silent,
    sleep: virtualSleep,
  });
  void service.run(ending.signal);
});
afterEach(() => ending.abort());

describe('MaintenanceService', () => {
  it('pauses this node at once, with who and why, and records it', async () => {
    await service.pause({ member: 'a', forMs: 60_000, owner: 'alice', reason: 'disk' });
    const untilMs = Date.now() + 60_000;
    expect(switches.pause).toMatchObject({ by: 'conductor_pause', untilMs, owner: 'alice', reason: 'disk' });
    await pass(1000);
    const { id } = switches.pause!;
    expect(records.maintenance.members).toMatchObject({
      a: { id, untilMs, who: { owner: 'alice', reason: 'disk' } },
    });
    expect(switches.pause).toMatchObject({ logIndex: 1 });
    await pass(10_000);
    expect(what()).toEqual(['pause a']);
  });

  it('records a pause without a quorum later, and a resume of the cluster does not end it', async () => {
    refusal = 'no-leader';
    await service.pause({ member: 'a', forMs: null, reason: 'by hand' });
    await pass(20_000);
    apply(pauseRecord(null));
    apply(resumeRecord(null));
    expect(switches.pause).toMatchObject({ reason: 'by hand' });
    refusal = undefined;
    await pass(6000);
    expect(what()).toEqual(['pause null', 'resume null', 'pause a']);
    expect(switches.pause).toMatchObject({ reason: 'by hand', logIndex: 3 });
    apply(resumeRecord(null));
    await pass(1000);
    expect(switches.paused).toBe(true);
    // After it was recorded, this member is resumed elsewhere.
    apply(resumeRecord('a'));
    await pass(1000);
    expect(switches.paused).toBe(false);
    expect(resumed).toBe(1);
  });

  it('pauses the whole cluster only through the log', async () => {
    refusal = 'unread-records';
    const request = { member: null, forMs: null, owner: 'alice', reason: 'L1 incident' };
    await expect(service.pause(request)).rejects.toMatchObject({ reason: 'unread-records' });
    expect(switches.paused).toBe(false);
    refusal = undefined;
    await service.pause(request);
    expect(switches.pause).toMatchObject({ by: 'cluster', owner: 'alice', reason: 'L1 incident' });
    await service.resume({ member: null });
    expect(switches.paused).toBe(false);
  });

  it('refuses to resume this node while the cluster is paused, and says by whom', async () => {
    apply(pauseRecord(null));
    await expect(service.resume({ member: 'a' })).rejects.toMatchObject({
      reason: 'cluster-paused',
      message:
        'cannot resume because the whole cluster is paused by alice (L1 incident): resume the cluster with baton resume',
    });
  });

  it('adopts a pause that was recorded for this member while it was away', async () => {
    apply(pauseRecord('a'));
    expect(switches.pause).toMatchObject({ by: 'conductor_pause', owner: 'alice' });
    expect(switches.own).toBeNull();
    await pass(1000);
    expect(switches.own).toMatchObject({ owner: 'alice', logIndex: 1 });
  });

  it('records a pause or resume for another member', async () => {
    await service.pause({ member: 'b', forMs: null });
    expect(records.maintenance.members).toHaveProperty('b');
    expect(switches.paused).toBe(false);
    await service.resume({ member: 'b' });
    expect(records.maintenance.members).toEqual({});
  });

  it('records a resume without a quorum later, and stays resumed meanwhile', async () => {
    await service.pause({ member: 'a', forMs: null });
    await pass(1000);
    refusal = 'no-leader';
    await service.resume({ member: 'a' });
    await pass(10_000);
    expect(switches.paused).toBe(false);
    expect(records.maintenance.members).toHaveProperty('a');
    refusal = undefined;
    await pass(6000);
    expect(records.maintenance.members).toEqual({});
    expect(switches.paused).toBe(false);
  });

  it('ends by itself when its time has passed, and the leader records that once', async () => {
    isLeader = true;
    await service.pause({ member: 'a', forMs: 30_000 });
    apply(pauseRecord(null, Date.now() + 20_000));
    await pass(21_000);
    expect(switches.pause).toMatchObject({ by: 'conductor_pause' });
    await pass(10_000);
    expect(switches.paused).toBe(false);
    expect(resumed).toBe(1);
    expect(what()).toEqual(['pause null', 'pause a', 'pause-ended null', 'pause-ended a'].sort(byOrder));
    await pass(10_000);
    expect(records.journal).toHaveLength(4);
  });
});

const ORDER = ['pause null', 'pause a', 'pause-ended null', 'pause-ended a'];
const byOrder = (x: string, y: string): number => ORDER.indexOf(x) - ORDER.indexOf(y);
