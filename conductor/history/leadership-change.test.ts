import { describe, expect, it } from '@jest/globals';
import { leadershipChange, type ChangeFacts } from './leadership-change.js';

/** A leader `a` whose process died at 1,000. Its last block came at 800; the block time is a second. */
const facts: ChangeFacts = {
  from: 'a',
  to: 'b',
  term: 7,
  loss: 'process-gone',
  said: undefined,
  lostAtMs: 1000,
  sequencerStartedAtMs: 1400.4,
  lastBlockAtMs: 800,
  firstBlock: { number: 17, hash: '0xab', atMs: 1900 },
  blockTimeMs: 1000,
};

describe('a change of leadership', () => {
  it('tells who, why, and how long the chain stopped', () => {
    expect(leadershipChange(facts)).toEqual({
      from: 'a',
      to: 'b',
      term: 7,
      cause: { type: 'process-gone', reason: '' },
      withoutSequencerMs: 400,
      betweenBlocksMs: 1100,
      slotsMissed: 0,
      firstBlock: { number: 17, hash: '0xab' },
    });
  });

  it.each([
    [1000, 0],
    [1499, 0],
    [1500, 1],
    [2499, 1],
    [3600, 3],
    [20, 0],
  ])('%d ms between two blocks of a second are %d missed slots', (betweenMs, slotsMissed) => {
    const firstBlock = { number: 17, hash: '0xab', atMs: 800 + betweenMs };
    expect(leadershipChange({ ...facts, firstBlock })).toMatchObject({
      betweenBlocksMs: betweenMs,
      slotsMissed,
    });
  });

  it('says nothing about unknown facts', () => {
    expect(
      leadershipChange({ ...facts, firstBlock: undefined, sequencerStartedAtMs: undefined }),
    ).toMatchObject({
      withoutSequencerMs: null,
      betweenBlocksMs: null,
      slotsMissed: null,
      firstBlock: null,
    });
    expect(leadershipChange({ ...facts, lastBlockAtMs: undefined })).toMatchObject({ betweenBlocksMs: null });
    // Timestamps are in seconds.
    for (const blockTimeMs of [undefined, 0]) {
      expect(leadershipChange({ ...facts, blockTimeMs })).toMatchObject({
        betweenBlocksMs: 1100,
        slotsMissed: null,
      });
    }
  });

  it('has the cause given by the former leader if it handed over', () => {
    const said = { type: 'unhealthy', reason: 'op-node does not answer' } as const;
    expect(leadershipChange({ ...facts, loss: 'handed-over', said }).cause).toEqual(said);
    expect(leadershipChange({ ...facts, loss: 'handed-over' }).cause).toEqual({
      type: 'not-said',
      reason: '',
    });
  });

  it('has the death of the former leader as its cause, even if it was about to hand over', () => {
    const said = { type: 'shutdown', reason: 'SIGTERM' } as const;
    expect(leadershipChange({ ...facts, said }).cause).toEqual({ type: 'process-gone', reason: '' });
  });
});
