import { describe, expect, it } from '@jest/globals';
import type { Input } from '../core/inputs.js';
import type { Output } from '../core/outputs.js';
import type { RaftCore } from '../core/raft-core.js';
import { CorePump, type CorePumpOptions, type Settled } from './core-pump.js';

const EVENT: Output = { type: 'event', event: { type: 'leaderReady', term: 1, index: 1 } };

/** A pump on a core that answers with `step`, and a record of inputs and outputs, in order. */
function pumpOn(step: (input: Input) => Output[], options: Partial<CorePumpOptions> = {}) {
  const seen: string[] = [];
  const errors: Error[] = [];
  const deadlines: number[] = [];
  const pump = new CorePump({
    timer: { set: (dueMs) => deadlines.push(dueMs), stop: () => seen.push('timer stopped') },
    carryOut: ({ type }) => seen.push(`out ${type}`),
    onStepped: () => seen.push('stepped'),
    onError: (error) => errors.push(error),
    ...options,
  });
  const core = {
    step: (input: Input) => {
      seen.push(`in ${input.type}`);
      return step(input);
    },
    nextDeadlineMs: () => 7,
  };
  return { pump, run: () => pump.run(core as unknown as RaftCore), seen, errors, deadlines };
}

const read = (id: number) => ({ type: 'read', id }) as const;

describe('pump of the core', () => {
  it('finishes a step before an input that arrives during it', () => {
    const { pump, run, seen, deadlines } = pumpOn(({ type }) => (type === 'tick' ? [EVENT, EVENT] : []), {
      carryOut: () => {
        seen.push('out event');
        pump.deliver({ type: 'eligibility', value: 1 });
      },
    });
    run();
    pump.deliver({ type: 'tick' });
    const later = ['in eligibility', 'stepped'];
    expect(seen).toEqual(['in tick', 'out event', 'out event', 'stepped', ...later, ...later]);
    expect(deadlines).toEqual([7]);
  });

  it('settles a request once, with the answer of its own step', async () => {
    const done = { outcome: 'done', index: 3, term: 1 } as const;
    const { pump, run, seen } = pumpOn((input) =>
      input.type === 'read' ? [{ type: 'answer', id: input.id, answer: done }] : [],
    );
    run();
    await expect(pump.ask(read)).resolves.toEqual(done);
    expect(seen).toEqual(['in read', 'stepped']);
  });

  it('accepts nothing before its start and after its end', async () => {
    const { pump, run, seen } = pumpOn(() => []);
    const answers: unknown[] = [];
    pump.deliver({ type: 'tick' }, (answer) => answers.push(answer));
    await expect(pump.ask(read)).resolves.toEqual({ outcome: 'rejected', reason: 'stopped' });
    run();
    pump.end();
    pump.deliver({ type: 'tick' }, (answer) => answers.push(answer));
    await expect(pump.ask(read)).resolves.toEqual({ outcome: 'rejected', reason: 'stopped' });
    expect(answers).toEqual([null, null]);
    expect(seen).toEqual(['timer stopped']);
  });

  it('answers waiting requests with unknown at its end', () => {
    const { pump, run } = pumpOn(() => []);
    const settled: Settled[] = [];
    run();
    pump.submit(read, (answer) => settled.push(answer));
    expect(settled).toEqual([]);
    pump.end();
    expect(settled).toEqual([{ outcome: 'unknown', reason: 'this node stopped' }]);
  });

  it('drops the inputs after a step that ended it, and tells their senders', () => {
    const answers: unknown[] = [];
    const { pump, run, seen } = pumpOn(() => [EVENT], {
      carryOut: () => {
        pump.deliver({ type: 'tick' }, (answer) => answers.push(answer));
        pump.end();
      },
    });
    run();
    pump.deliver({ type: 'tick' });
    expect(answers).toEqual([null]);
    expect(seen.filter((line) => line === 'in tick')).toHaveLength(1);
  });

  it('reports what a step throws, and continues with the next input', () => {
    let failing = true;
    const { pump, run, errors, seen } = pumpOn(() => {
      if (failing) throw new Error('broken');
      return [];
    });
    run();
    pump.deliver({ type: 'tick' });
    expect(errors).toMatchObject([{ message: 'broken' }]);
    failing = false;
    pump.deliver({ type: 'tick' });
    expect(seen).toEqual(['in tick', 'in tick', 'stepped']);
  });
});
