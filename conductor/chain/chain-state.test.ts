import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import { chainOf, committed, hashOf, refOf } from '../testing/chain.js';
import { ChainState, type CommittedBlock, type Verdict } from './chain-state.js';

/** The state after these blocks, in order. */
function stateOf(...blocks: readonly CommittedBlock[]): ChainState {
  const state = new ChainState();
  for (const block of blocks) state.apply(block, undefined);
  return state;
}

/** Everything observable of a state. */
const shown = (state: ChainState): unknown => ({
  head: state.head,
  blocks: Array.from({ length: 30 }, (_, number) => state.blockAt(number)),
});

const reasonOf = (verdict: Verdict): string => (verdict.type === 'refused' ? verdict.reason : '');

describe('ChainState.judge', () => {
  const upTo10 = (): ChainState => stateOf(...chainOf(5, 10));

  it('accepts any first block', () => {
    expect(new ChainState().judge(refOf(7))).toEqual({ type: 'append' });
  });

  it('appends head + 1 on the head', () => {
    expect(upTo10().judge(refOf(11))).toEqual({ type: 'append' });
  });

  it.each([10, 9, 5])('recognizes committed block %i', (number) => {
    expect(upTo10().judge(refOf(number))).toEqual({ type: 'duplicate' });
  });

  it('recognizes a committed block by its child when the block itself is no longer retained', () => {
    expect(upTo10().judge(refOf(4))).toEqual({ type: 'duplicate' });
  });

  it.each([
    [12, 1],
    [110, 99],
  ])('accepts block %i with a gap of %i', (number, missing) => {
    expect(upTo10().judge(refOf(number))).toEqual({ type: 'gap', missing });
  });

  it('refuses head + 1 on another parent, with both hashes', () => {
    const reason = reasonOf(upTo10().judge(refOf(11, 'b')));
    expect(reason).toContain(`block 11 (${hashOf(11, 'b')}) has parent ${hashOf(10, 'b')}`);
    expect(reason).toContain(`the committed block 10 is ${hashOf(10)}`);
  });

  it.each([1, 2, 3, 4, 5])(
    'refuses a linked replacement of the newest %i blocks, with both hashes',
    (depth) => {
      const number = 11 - depth;
      expect(upTo10().judge(refOf(number, 'b', hashOf(number - 1)))).toEqual({
        type: 'refused',
        reason:
          `block ${number} (${hashOf(number, 'b')}) has parent ${hashOf(number - 1)}, ` +
          `but the committed block ${number} is ${hashOf(number)}`,
      });
    },
  );

  it('refuses a sibling of a block of which only the child is retained, with both hashes', () => {
    expect(reasonOf(upTo10().judge(refOf(4, 'b')))).toContain('no committed block 3 is retained');
    expect(reasonOf(upTo10().judge(refOf(5, 'b', hashOf(4))))).toContain(
      `the committed block 5 is ${hashOf(5)}`,
    );
  });

  describe('while the commit of the head is unanswered', () => {
    const judge = (block: BlockRef, unanswered = hashOf(10)): Verdict => upTo10().judge(block, unanswered);

    it('lets a sibling replace it', () => {
      const replaced = [committed(refOf(10))];
      expect(judge(refOf(10, 'b', hashOf(9)))).toEqual({ type: 'replacement', replaced });
    });

    it('lets nothing else replace it', () => {
      expect(judge(refOf(10, 'b')).type).toBe('refused');
      expect(judge(refOf(9, 'b', hashOf(8))).type).toBe('refused');
      expect(judge(refOf(11, 'b')).type).toBe('refused');
    });

    it('recognizes it, and appends to it', () => {
      expect(judge(refOf(10))).toEqual({ type: 'duplicate' });
      expect(judge(refOf(11))).toEqual({ type: 'append' });
    });

    it('protects another head, and blocks below the head', () => {
      expect(judge(refOf(10, 'b', hashOf(9)), hashOf(10, 'c')).type).toBe('refused');
      expect(judge(refOf(9, 'b', hashOf(8)), hashOf(9)).type).toBe('refused');
      expect(judge(refOf(10, 'b', hashOf(9)), hashOf(9)).type).toBe('refused');
    });
  });

  it.each([10, 8, 5])('refuses block %i on a branch that is not linked, with both hashes', (number) => {
    const reason = reasonOf(upTo10().judge(refOf(number, 'b')));
    expect(reason).toContain(hashOf(number, 'b'));
    expect(reason).toContain(hashOf(number - 1, 'b'));
    expect(reason).toContain(`the committed block ${number - 1} is ${hashOf(number - 1)}`);
  });

  it.each([4, 3, 1])('refuses other block %i from below the retained history, naming the head', (number) => {
    const reason = reasonOf(upTo10().judge(refOf(number, 'b')));
    expect(reason).toContain(hashOf(number, 'b'));
    expect(reason).toContain(`the committed head is 10 (${hashOf(10)})`);
  });

  describe('around a gap', () => {
    const gapped = (): ChainState => stateOf(...chainOf(5, 6), committed(refOf(10)));

    it('appends on the head above it', () => {
      expect(gapped().judge(refOf(11))).toEqual({ type: 'append' });
    });

    it('counts the last missing block as committed: the head builds on it', () => {
      expect(gapped().judge(refOf(9))).toEqual({ type: 'duplicate' });
    });

    it('refuses a sibling of the block above the gap, unless its commit is unanswered', () => {
      const sibling = refOf(10, 'b', hashOf(9));
      expect(reasonOf(gapped().judge(sibling))).toContain(`the committed block 10 is ${hashOf(10)}`);
      const replaced = [committed(refOf(10))];
      expect(gapped().judge(sibling, hashOf(10))).toEqual({ type: 'replacement', replaced });
    });

    it('does not let the chain start over below it', () => {
      expect(reasonOf(gapped().judge(refOf(7, 'b', hashOf(6))))).toContain(
        `has parent ${hashOf(6)}, but the committed head is 10 (${hashOf(10)})`,
      );
    });

    it('refuses blocks that build on a missing block', () => {
      expect(gapped().judge(refOf(8)).type).toBe('refused');
    });
  });

  it('changes nothing, whatever its verdict', () => {
    const state = upTo10();
    const before = shown(state);
    for (let number = 1; number < 15; number++) {
      for (const branch of ['a', 'b'] as const) {
        state.judge(refOf(number, branch));
        state.judge(refOf(number, 'b', hashOf(number - 1)));
      }
    }
    expect(shown(state)).toEqual(before);
  });
});

describe('ChainState.apply', () => {
  it('does not change the state when it refuses, and reports both hashes', () => {
    const head = hashOf(10);
    const cases: [string, CommittedBlock, string | undefined][] = [
      ['a sibling of the head', committed(refOf(10, 'b'), 99), undefined],
      ['an older block', committed(refOf(7, 'b'), 99), undefined],
      ['an older block of the chain', committed(refOf(7), 99), undefined],
      ['head + 1 on another parent', committed(refOf(11, 'b'), 99), undefined],
      ['a replacement of a head that is gone', committed(refOf(10, 'b', hashOf(9)), 99), hashOf(10, 'c')],
      ['a replacement from above the head', committed(refOf(11, 'b'), 99), head],
    ];
    for (const [name, block, replacesHead] of cases) {
      const state = stateOf(...chainOf(5, 10));
      const before = shown(state);
      const reason = reasonOf(state.apply(block, replacesHead));
      expect([name, reason]).toEqual([name, expect.stringContaining(block.hash)]);
      expect([name, reason]).toEqual([name, expect.stringContaining(head)]);
      expect([name, shown(state)]).toEqual([name, before]);
    }
  });

  it('refuses a replacement as the first command of a chain', () => {
    const state = new ChainState();
    expect(state.apply(committed(refOf(3)), hashOf(3, 'b')).type).toBe('refused');
    expect(state.head).toBeUndefined();
  });

  it('ignores the head when it comes again, even as its own replacement', () => {
    const state = stateOf(...chainOf(5, 10));
    const before = shown(state);
    expect(state.apply(committed(refOf(10), 11), undefined)).toEqual({ type: 'duplicate' });
    expect(state.apply(committed(refOf(10), 12), hashOf(10))).toEqual({ type: 'duplicate' });
    expect(shown(state)).toEqual(before);
  });

  it('cuts the chain at the height of a replacement', () => {
    const state = stateOf(...chainOf(5, 10));
    const block = committed(refOf(8, 'b', hashOf(7)), 11);
    expect(state.apply(block, hashOf(10))).toEqual({ type: 'replacement', replaced: chainOf(8, 10) });
    expect(state.head).toBe(block);
    expect(state.blocksAbove(4)).toEqual([...chainOf(5, 7), block]);
    expect(state.hashAt(9)).toBeUndefined();
  });
});

describe('ChainState history', () => {
  it('knows the hash of one more block than it retains', () => {
    const state = stateOf(...chainOf(5, 7));
    expect([3, 4, 5, 7, 8].map((number) => state.hashAt(number))).toEqual([
      undefined,
      hashOf(4),
      hashOf(5),
      hashOf(7),
      undefined,
    ]);
  });

  it('has nothing above the head, and nothing at all when empty', () => {
    expect(stateOf(...chainOf(5, 7)).blocksAbove(7)).toEqual([]);
    expect(stateOf(...chainOf(5, 7)).blocksAbove(9)).toEqual([]);
    expect(new ChainState().blocksAbove(0)).toEqual([]);
  });

  it('does not offer blocks across a gap', () => {
    const state = stateOf(...chainOf(5, 6), ...chainOf(9, 10));
    expect(state.blocksAbove(4)).toBeUndefined();
    expect(state.blocksAbove(6)).toBeUndefined();
    expect(state.blocksAbove(8)).toEqual(chainOf(9, 10));
  });

  it('forgets blocks by their log index but never the head', () => {
    const state = stateOf(...chainOf(5, 10));
    state.dropUpTo(8);
    expect(state.blocksAbove(8)).toEqual(chainOf(9, 10));
    expect(state.blocksAbove(7)).toBeUndefined();
    state.dropUpTo(1000);
    expect(state.head).toEqual(committed(refOf(10)));
    expect(state.blocksAbove(9)).toEqual(chainOf(10, 10));
  });
});

/** What a proposer could send, relative to the current head. */
const commandArb = fc.record({
  kind: fc.constantFrom('next', 'next', 'next', 'again', 'old', 'gap', 'fork', 'replace', 'late', 'above'),
  depth: fc.integer({ min: 0, max: 4 }),
  branch: fc.constantFrom('a', 'b', 'c'),
});
type Proposal = typeof commandArb extends fc.Arbitrary<infer T> ? T : never;

/** The block and the head to be replaced, for a chain whose complete history is `chain`. */
function commandOf(
  { kind, depth, branch }: Proposal,
  chain: ChainState,
  logIndex: number,
): { block: CommittedBlock; replacesHead: string | undefined } {
  const head = chain.blockAt(chain.head?.number ?? 0) ?? committed(refOf(100));
  const block = (number: number, parentHash: string | undefined): CommittedBlock =>
    // Each log index has its own branch: a rebuilt block differs from the earlier one.
    committed(refOf(number, `${branch}${logIndex}`, parentHash ?? hashOf(number - 1, branch)), logIndex);
  const below = head.number - depth;
  switch (kind) {
    case 'again':
      return { block: { ...head, logIndex }, replacesHead: undefined };
    case 'old':
      return { block: block(below, chain.hashAt(below - 1)), replacesHead: undefined };
    case 'gap':
      return { block: block(head.number + 2 + depth, undefined), replacesHead: undefined };
    case 'fork':
      return { block: block(head.number + 1, hashOf(head.number, 'z')), replacesHead: undefined };
    case 'replace':
      return { block: block(below, chain.hashAt(below - 1)), replacesHead: head.hash };
    case 'late':
      return { block: block(below, chain.hashAt(below - 1)), replacesHead: head.parentHash };
    case 'above':
      return { block: block(head.number + 1 + depth, head.hash), replacesHead: head.hash };
    default:
      return { block: block(head.number + 1, head.hash), replacesHead: undefined };
  }
}

/** A verdict without the list of replaced blocks, because a node knows only those that it retains. */
function outcome(verdict: Verdict): unknown {
  return verdict.type === 'replacement' ? { type: verdict.type } : verdict;
}

describe('ChainState, for any log', () => {
  it('nodes that compact at different moments agree on the head and on every verdict', () => {
    const step = fc.record({
      command: commandArb,
      dropA: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
      dropB: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const [complete, a, b] = [new ChainState(), new ChainState(), new ChainState()];
        steps.forEach(({ command, dropA, dropB }, logIndex) => {
          const { block, replacesHead } = commandOf(command, complete, logIndex);
          const verdict = complete.apply(block, replacesHead);
          for (const node of [a, b]) {
            const own = node.apply(block, replacesHead);
            expect(outcome(own)).toEqual(outcome(verdict));
            if (own.type === 'replacement' && verdict.type === 'replacement') {
              expect(own.replaced).toEqual(verdict.replaced.slice(-own.replaced.length));
              expect(own.replaced.length).toBeGreaterThan(0);
            }
            expect(node.head).toEqual(complete.head);
          }
          if (dropA !== undefined) a.dropUpTo(Math.min(dropA, logIndex));
          if (dropB !== undefined) b.dropUpTo(Math.min(dropB, logIndex));
          expect(a.head).toEqual(b.head);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("the leader's judgement is the verdict on apply, when nothing comes between", () => {
    fc.assert(
      fc.property(fc.array(commandArb, { maxLength: 30 }), fc.boolean(), (commands, unanswered) => {
        const chain = new ChainState();
        commands.forEach((command, logIndex) => {
          const { block } = commandOf(command, chain, logIndex);
          const verdict = chain.judge(block, unanswered ? chain.head?.hash : undefined);
          if (verdict.type === 'refused' || verdict.type === 'duplicate') return;
          expect(verdict.type === 'replacement' ? verdict.replaced : []).toEqual(
            verdict.type === 'replacement' && unanswered ? [chain.head] : [],
          );
          const replacesHead = verdict.type === 'replacement' ? chain.head?.hash : undefined;
          expect(chain.apply(block, replacesHead)).toEqual(verdict);
          expect(chain.head).toEqual(block);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('a height has one block for good, whatever is proposed by the rules', () => {
    fc.assert(
      fc.property(fc.array(commandArb, { maxLength: 40 }), (commands) => {
        const chain = new ChainState();
        const hashes = new Map<number, string>();
        commands.forEach((command, logIndex) => {
          const { block } = commandOf(command, chain, logIndex);
          const verdict = chain.judge(block);
          const replacesHead = verdict.type === 'replacement' ? chain.head?.hash : undefined;
          if (verdict.type !== 'refused') chain.apply(block, replacesHead);
          const { head } = chain;
          if (!head) return;
          expect(hashes.get(head.number) ?? head.hash).toBe(head.hash);
          hashes.set(head.number, head.hash);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('the blocks above any height are contiguous up to the head and linked, or undefined', () => {
    fc.assert(
      fc.property(
        fc.array(commandArb, { maxLength: 30 }),
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 90, max: 140 }),
        (commands, dropped, from) => {
          const chain = new ChainState();
          commands.forEach((command, logIndex) => {
            const { block } = commandOf(command, chain, logIndex);
            const verdict = chain.judge(block, chain.head?.hash);
            const replacesHead = verdict.type === 'replacement' ? chain.head?.hash : undefined;
            if (verdict.type !== 'refused') chain.apply(block, replacesHead);
          });
          chain.dropUpTo(Math.min(dropped, commands.length - 1));
          const above = chain.blocksAbove(from);
          if (above === undefined) return;
          expect(above.map((block) => block.number)).toEqual(above.map((_, offset) => from + 1 + offset));
          above.slice(1).forEach((block, at) => expect(block.parentHash).toBe(above[at]?.hash));
          if (chain.head && chain.head.number > from) expect(above.at(-1)).toEqual(chain.head);
          else expect(above).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });
});
