import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { History, HistoryEntry, Leadership } from '../../rpc/server/history.js';
import { CommandLine } from './testing/command-line.js';
import { expectGolden } from './testing/expect-golden.js';

let t: CommandLine;
/** Starts of the requested period. */
let asked: number[];

const AT_MS = Date.parse('2026-12-01T17:20:00.250Z');

const failover: Leadership = {
  ...{ from: 'sequencer-0', to: 'sequencer-1', term: 7, cause: { type: 'process-gone', reason: '' } },
  ...{ withoutSequencerMs: 465, betweenBlocksMs: 1480, slotsMissed: 0 },
  firstBlock: { number: 17, hash: `0x${'ab'.repeat(32)}` },
};

const entry = (at: number, changes: Partial<HistoryEntry>): HistoryEntry => ({
  ...{ id: `id-${at}`, atMs: AT_MS + at * 61_000, node: 'sequencer-1', kind: 'operation', who: {}, what: '' },
  ...{ result: 'done', details: {}, ...changes },
});

const alice = { address: '10.0.0.9:41000', owner: 'alice@bastion' };
const changed = (at: number, leadership: Leadership, who: HistoryEntry['who'] = {}): HistoryEntry =>
  entry(at, { kind: 'leadership', what: 'leadership', who, details: { ...leadership } });

const history: History = {
  schemaVersion: 1,
  answeredBy: 'sequencer-1',
  entries: [
    changed(0, {
      ...failover,
      from: null,
      cause: { type: 'start', reason: '' },
      betweenBlocksMs: null,
      slotsMissed: null,
    }),
    changed(1, failover),
    entry(2, {
      what: 'conductor_transferLeaderToServer',
      who: { ...alice, reason: 'kernel upgrade of sequencer-1, ticket OPS-1234' },
      details: { params: '["sequencer-2","sequencer-2.sequencers.example.org:50050"]' },
    }),
    changed(
      2,
      {
        ...failover,
        from: 'sequencer-1',
        to: 'sequencer-2',
        term: 8,
        cause: { type: 'transfer', reason: '' },
      },
      { ...alice, reason: 'kernel upgrade of sequencer-1, ticket OPS-1234' },
    ),
    entry(3, {
      what: 'conductor_removeServer',
      who: { address: '10.0.0.9:41007' },
      result: 'failed: node is not the leader',
      details: { params: '["sequencer-1",0]' },
    }),
    changed(4, {
      ...failover,
      ...{ from: 'sequencer-2', to: 'sequencer-2', term: 9, cause: { type: 'no-quorum', reason: '' } },
      ...{ slotsMissed: 12, firstBlock: null, withoutSequencerMs: null },
    }),
    changed(5, {
      ...failover,
      cause: {
        type: 'unhealthy',
        reason: 'op-node at http://127.0.0.1:9545 does not answer: connect ECONNREFUSED',
      },
    }),
    // From a later version.
    entry(6, { kind: 'maintenance', what: 'halt', node: 'sequencer-0', who: { token: 'ops' } }),
  ],
};

beforeEach(async () => {
  t = await CommandLine.start();
  asked = [];
  t.cluster.onCall = (_, method, params) => {
    expect(method).toBe('conductor_history');
    asked.push(params[0] as number);
    return { result: history };
  };
});
afterEach(() => t.stop());

describe('baton history', () => {
  it('is a table of 80 columns', async () => {
    expect(await t.baton('history')).toBe(0);
    const text = t.printed.join('\n');
    expectGolden('history.txt', text);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(asked).toEqual([0]);
  });

  it('is a JSON document with a version', async () => {
    expect(await t.baton('history', '--json')).toBe(0);
    expectGolden('history.json.txt', t.printed.join('\n'));
  });

  it('says that nothing happened', async () => {
    t.cluster.onCall = () => ({ result: { ...history, entries: [] } });
    expect(await t.baton('history')).toBe(0);
    expect(t.printed).toEqual(['sequencer-1 knows of nothing that happened in this time']);
  });

  it('can be limited by age or by a point in time', async () => {
    expect(await t.baton('history', '--since', '2026-12-01T18:20:00.25+01:00')).toBe(0);
    const beforeMs = Date.now();
    expect(await t.baton('history', '--since', '2h')).toBe(0);
    expect(asked[0]).toBe(AT_MS);
    expect(asked[1]! - (beforeMs - 7_200_000)).toBeGreaterThanOrEqual(0);
    expect(Date.now() - 7_200_000 - asked[1]!).toBeGreaterThanOrEqual(0);
  });

  it.each(['yesterday', '-2h', '2026-12-01', '12'])('refuses %j as a time', async (since) => {
    expect(await t.baton('history', `--since=${since}`)).toBe(3);
    expect(t.noted.join()).toContain('Expected a duration such as 2h');
    expect(asked).toEqual([]);
  });

  it('ends with 4 if no conductor answers', async () => {
    await t.cluster.kill('a');
    expect(await t.baton('history')).toBe(4);
    expect(t.failure()[1]).toBe('no-answer');
  });
});
