import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { TIMING_PROFILES } from '../../raft/index.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import { ChainState } from '../chain/chain-state.js';
import { ClusterRecords } from '../chain/cluster-records.js';
import type { ClusterRecord } from '../chain/record.js';
import type { RecordDraft } from '../commit/recorder.js';
import { committed, refOf } from '../testing/chain.js';
import { ClusterHistory } from './cluster-history.js';

const by = { address: '10.0.0.9:4000', owner: 'alice@bastion', reason: 'OPS-1' };
const pause = { method: 'conductor_pause', params: [], by, isRoutine: false };

let lines: Record<string, unknown>[];
let records: ClusterRecords;
let raft: EventEmitter;
let history: ClusterHistory;
let nowMs: number;
/** The log accepts nothing. */
let isRefused: boolean;

let make: (draft: RecordDraft) => ClusterRecord;
const record = ({ kind, what, who = {}, result = 'done', details = {} }: RecordDraft): ClusterRecord => ({
  ...{ id: `id-${(nowMs += 1)}`, atMs: nowMs, node: 'a', kind, who, what, result, details },
});

const chain = new ChainState();

beforeEach(() => {
  [lines, records, nowMs, isRefused] = [[], new ClusterRecords(), 1000, false];
  make = record;
  raft = Object.assign(new EventEmitter(), {
    nodeId: 'a',
    timing: TIMING_PROFILES.lan,
    status: () => ({ term: 4, commitIndex: 100 }),
    peerTroubles: () => [],
  });
  let logIndex = 0;
  history = new ClusterHistory({
    raft: raft as never,
    ...{ chain, records },
    make: (draft) => make(draft),
    put: async (record) => {
      if (isRefused) throw new RpcError('nobody leads', { reason: 'no-leader' });
      logIndex += 1;
      records.apply(record, logIndex);
      history.recorded({ logIndex, record });
    },
    logger: pino(
      { base: null },
      { write: (line: string) => void lines.push(JSON.parse(line) as object as never) },
    ),
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      ),
  });
});

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

const leadership = (role: string, leader: string | null, term: number): void =>
  void raft.emit('role', { role, leader, term, reason: '' });

/** This member takes over from `b`, which transferred leadership, and commits block 7. */
function takeOver(): void {
  leadership('follower', 'b', 4);
  leadership('candidate', null, 5);
  raft.emit('electionStarted', { cause: 'transfer', prevote: false, term: 5 });
  leadership('leader', 'a', 5);
  raft.emit('leaderReady');
  history.applied(committed(refOf(7), 101), { type: 'append' });
}

describe('the history', () => {
  it('has each requested change, with who asked and the result', async () => {
    history.called({ ...pause, method: 'conductor_removeServer', params: ['b', 0] });
    const failure = new RpcError('node is not the leader', { reason: 'not-leader' });
    history.called({ ...pause, failure });
    await turns();
    expect(lines).toEqual([
      expect.objectContaining({
        level: 30,
        method: 'conductor_removeServer',
        params: '["b",0]',
        by,
        result: 'done',
      }),
      expect.objectContaining({
        level: 40,
        method: 'conductor_pause',
        by,
        result: `failed: ${failure.message}`,
      }),
    ]);
    expect(lines.map(({ msg }) => msg)).toEqual(['a change was asked for', 'a change was asked for']);
    expect(history.since(0)).toMatchObject({
      schemaVersion: 1,
      answeredBy: 'a',
      entries: [
        {
          kind: 'operation',
          what: 'conductor_removeServer',
          who: by,
          result: 'done',
          details: { params: '["b",0]' },
        },
        { kind: 'operation', what: 'conductor_pause', who: by, result: 'failed: node is not the leader' },
      ],
    });
  });

  it('returns only the requested part', async () => {
    for (let calls = 0; calls < 3; calls++) history.called(pause);
    await turns();
    expect(history.since(1002).entries.map(({ atMs }) => atMs)).toEqual([1002, 1003]);
  });

  it('keeps events without a quorum, with their time, and records them under the next leader', async () => {
    isRefused = true;
    history.called(pause);
    await turns();
    nowMs = 50_000;
    expect(history.since(0).entries).toEqual([]);
    isRefused = false;
    leadership('follower', 'b', 5);
    await turns();
    expect(history.since(0).entries).toMatchObject([{ what: 'conductor_pause', atMs: 1001 }]);
  });

  it('has routine calls of clients once, until they change', async () => {
    const limits = (limit: string, host: string): void =>
      history.called({
        ...{ method: 'miner_setMaxDASize', params: [limit, '0x0'], isRoutine: true },
        by: { address: `${host}:${(nowMs += 1)}` },
      });
    for (const limit of ['0x1', '0x1', '0x2', '0x2', '0x1']) limits(limit, '10.0.0.1');
    limits('0x1', '10.0.0.2');
    await turns();
    expect(
      history.since(0).entries.map(({ details, who }) => [details['params'], who.address?.slice(0, 8)]),
    ).toEqual([
      ['["0x1","0x0"]', '10.0.0.1'],
      ['["0x2","0x0"]', '10.0.0.1'],
      ['["0x1","0x0"]', '10.0.0.1'],
      ['["0x1","0x0"]', '10.0.0.2'],
    ]);
  });

  it('does not keep endless parameters', async () => {
    history.called({ ...pause, params: ['x'.repeat(1_000_000)] });
    await turns();
    expect(JSON.stringify(history.since(0)).length).toBeLessThan(2000);
    expect(JSON.stringify(lines).length).toBeLessThan(2000);
  });

  it('logs one change of leadership as one warning, with the cause that the former leader recorded', async () => {
    const cause = { type: 'transfer', reason: '' };
    const said = {
      ...make({ kind: 'hand-over', what: 'hand-over', who: by, details: { term: 4, to: 'a', cause } }),
      node: 'b',
    };
    records.apply(said, 1);
    history.recorded({ logIndex: 1, record: said });
    takeOver();
    await turns();
    expect(history.since(0).entries).toMatchObject([
      {
        kind: 'leadership',
        node: 'a',
        who: by,
        details: { from: 'b', to: 'a', term: 5, cause, firstBlock: { number: 7 } },
      },
    ]);
    expect(lines).toMatchObject([
      {
        ...{ level: 40, from: 'b', to: 'a', term: 5, cause, who: by, firstBlock: { number: 7 } },
        msg: 'a took over from b: a transfer by alice@bastion, 10.0.0.9:4000: OPS-1; first block 7',
      },
    ]);
  });

  it('records the reason before a transfer, even while other records wait', async () => {
    isRefused = true;
    history.called(pause);
    await turns();
    isRefused = false;
    history.handsOver('b', { type: 'unhealthy', reason: 'op-node does not answer' });
    expect(records.journal.map(({ record }) => record)).toMatchObject([
      {
        ...{ kind: 'hand-over', node: 'a', who: {} },
        details: { term: 4, to: 'b', cause: { type: 'unhealthy', reason: 'op-node does not answer' } },
      },
    ]);
    // It has no entry of its own.
    expect(history.since(0).entries).toEqual([]);
  });

  it('knows who led last after a member has just started', async () => {
    const details = { from: null, to: 'c', term: 3 };
    records.apply({ ...make({ kind: 'leadership', what: 'leadership', details }), node: 'c' }, 1);
    leadership('leader', 'a', 5);
    raft.emit('leaderReady');
    history.applied(committed(refOf(7), 101), { type: 'append' });
    expect(lines).toMatchObject([{ from: 'c', to: 'a', cause: { type: 'start' } }]);
  });

  it('fails nothing if something cannot be recorded', () => {
    const tooLong = new RpcError('the record has 9000 bytes', { reason: 'invalid-record' });
    make = () => {
      throw tooLong;
    };
    history.called(pause);
    history.handsOver(null, { type: 'shutdown', reason: 'SIGTERM' });
    expect(lines.slice(1)).toMatchObject([
      { level: 40, what: 'conductor_pause', reason: tooLong.message, msg: 'not recorded' },
      { level: 40, what: 'hand-over', reason: tooLong.message, msg: 'not recorded' },
    ]);
  });

  it('reports each new visible entry to those who forward it', async () => {
    const heard: string[] = [];
    history.on('entry', ({ what }) => void heard.push(what));
    history.handsOver('b', { type: 'shutdown', reason: 'SIGTERM' });
    history.called(pause);
    await turns();
    expect(heard).toEqual(['conductor_pause']);
  });
});
