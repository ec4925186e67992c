import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chainOf, committed, hashOf, refOf, resetOf } from '../testing/chain.js';
import { ChainState } from './chain-state.js';

/** Blocks 5 to 10. */
function upTo10(): ChainState {
  const state = new ChainState();
  for (const block of chainOf(5, 10)) state.apply(block, undefined);
  return state;
}

describe('ChainState.applyReset', () => {
  it('takes the head back to a retained block', () => {
    const state = upTo10();
    const reset = resetOf(refOf(10), refOf(7));
    expect(state.applyReset(reset, 11)).toEqual({ type: 'reset', reset, depth: 3 });
    expect(state.head).toEqual(committed(refOf(7)));
    expect(state.blocksAbove(4)).toEqual(chainOf(5, 7));
    expect(state.hashAt(8)).toBeUndefined();
    expect(state.judge(refOf(8, 'b', hashOf(7)))).toEqual({ type: 'append' });
    expect(state.judge(refOf(8, 'b')).type).toBe('refused');
  });

  it.each([
    ['the parent of the oldest', refOf(4)],
    ['below the history', refOf(1)],
    ['genesis', refOf(0)],
    ['another block of a retained height', refOf(7, 'b')],
  ])('takes the head back to %s: it has no payload then, and nothing below it is offered', (_, to) => {
    const state = upTo10();
    expect(state.applyReset(resetOf(refOf(10), to), 11)).toMatchObject({
      type: 'reset',
      depth: 10 - to.number,
    });
    expect(state.head).toEqual({ number: to.number, hash: to.hash, logIndex: 11 });
    expect(state.oldest).toBe(state.head);
    expect(state.hashAt(to.number)).toBe(to.hash);
    expect(state.hashAt(to.number - 1)).toBeUndefined();
    expect(state.blockAt(to.number)).toBeUndefined();
    expect(state.blocksAbove(to.number)).toEqual([]);
    expect(state.blocksAbove(to.number - 1)).toBeUndefined();
  });

  it('lets the chain continue from a head without payload', () => {
    const state = upTo10();
    state.applyReset(resetOf(refOf(10), refOf(2)), 11);
    expect(state.judge(refOf(2))).toEqual({ type: 'duplicate' });
    expect(state.judge(refOf(3, 'b')).type).toBe('refused');
    expect(state.judge(refOf(2, 'b', hashOf(1))).type).toBe('refused');
    expect(state.judge(refOf(3))).toEqual({ type: 'append' });
    expect(state.apply(committed(refOf(3), 12), undefined)).toEqual({ type: 'append' });
    expect(state.head).toEqual(committed(refOf(3), 12));
    expect(state.blocksAbove(2)).toEqual([committed(refOf(3), 12)]);
    expect(state.blocksAbove(1)).toBeUndefined();
    state.dropUpTo(11);
    expect(state.oldest).toBe(state.head);
    expect(state.applyReset(resetOf(refOf(3), refOf(2)), 13)).toMatchObject({ type: 'reset', depth: 1 });
    expect(state.judge(refOf(3, 'b', hashOf(2)))).toEqual({ type: 'append' });
  });

  it('keeps a head without payload like any other', () => {
    const state = upTo10();
    state.applyReset(resetOf(refOf(10), refOf(2)), 11);
    state.dropUpTo(1000);
    expect(state.head?.hash).toBe(hashOf(2));
  });

  it('does not change the state when it refuses, and reports all hashes', () => {
    const head = refOf(10);
    for (const [name, from, to] of [
      ['another head', refOf(10, 'b'), refOf(7)],
      ['an older head', refOf(9), refOf(7)],
      ['nowhere', head, head],
      ['up', head, refOf(11)],
    ] as const) {
      const state = upTo10();
      const verdict = state.applyReset(resetOf(from, to), 11);
      expect([name, verdict.type]).toEqual([name, 'refused']);
      for (const { hash } of [from, to, head])
        expect(verdict).toMatchObject({ reason: expect.stringContaining(hash) });
      expect(state.blocksAbove(4)).toEqual(chainOf(5, 10));
    }
    expect(new ChainState().applyReset(resetOf(head, refOf(7)), 1).type).toBe('refused');
  });

  it('gives nodes that compact at different times the same head and verdicts, for any later commands', () => {
    const step = fc.record({
      kind: fc.constantFrom('next', 'next', 'next', 'gap', 'fork', 'replace', 'reset', 'reset', 'late reset'),
      depth: fc.integer({ min: 0, max: 6 }),
      drop: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const complete = new ChainState();
        const compacting = new ChainState();
        steps.forEach(({ kind, depth, drop }, at) => {
          const logIndex = at + 1;
          const head = complete.head ?? refOf(100);
          const below = {
            number: head.number - depth,
            hash: complete.hashAt(head.number - depth) ?? hashOf(depth),
          };
          const next = (number: number, parent: string) =>
            committed(refOf(number, `b${at}`, parent), logIndex);
          const apply = (state: ChainState) => {
            if (kind === 'reset') return state.applyReset(resetOf(head, below), logIndex);
            if (kind === 'late reset')
              return state.applyReset(resetOf(refOf(head.number, 'z'), below), logIndex);
            if (kind === 'replace') return state.apply(next(below.number, hashOf(1, 'z')), head.hash);
            const parent = kind === 'fork' ? hashOf(1, 'z') : head.hash;
            return state.apply(next(head.number + (kind === 'gap' ? 2 + depth : 1), parent), undefined);
          };
          const own = apply(compacting);
          const wanted = apply(complete);
          expect(own.type).toBe(wanted.type);
          if (wanted.type === 'reset') expect(own).toEqual(wanted);
          expect([compacting.head?.number, compacting.head?.hash]).toEqual([
            complete.head?.number,
            complete.head?.hash,
          ]);
          if (drop !== undefined) compacting.dropUpTo(Math.min(drop, logIndex));
        });
      }),
      { numRuns: 500 },
    );
  });
});
