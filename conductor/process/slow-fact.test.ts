import { describe, expect, it } from '@jest/globals';
import { SlowFact } from './slow-fact.js';

/** A fact whose clock moves only during its pauses. */
function factOf(answers: (number | Error)[]): {
  fact: SlowFact<number>;
  run: () => Promise<(number | null)[]>;
} {
  let nowMs = 0;
  const seen: (number | null)[] = [];
  const end = new AbortController();
  const fact: SlowFact<number> = new SlowFact({
    everyMs: 10,
    now: () => nowMs,
    ask: async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer!;
    },
    sleep: async (ms) => {
      seen.push(fact.latest);
      nowMs += ms;
      if (answers.length === 0) end.abort();
    },
  });
  return { fact, run: () => fact.watch(end.signal).then(() => seen) };
}

describe('a fact that is polled', () => {
  it('is unknown before the first answer, then the last answer', async () => {
    const { fact, run } = factOf([new Error('down'), 7, 8]);
    expect(fact.latest).toBeNull();
    expect(await run()).toEqual([null, 7, 8]);
  });

  it('survives a few polls without an answer, but no more', async () => {
    const down = new Error('down');
    expect(await factOf([7, down, down, down, down, 8]).run()).toEqual([7, 7, 7, 7, null, 8]);
  });

  it('is not polled after the signal has fired', async () => {
    const { fact } = factOf([7]);
    await fact.watch(AbortSignal.abort());
    expect(fact.latest).toBeNull();
  });
});
