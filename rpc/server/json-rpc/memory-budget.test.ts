import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryBudget, type Holding } from './memory-budget.js';

describe('MemoryBudget', () => {
  let nowMs: number;
  let evicted: string[];
  beforeEach(() => {
    nowMs = 0;
    evicted = [];
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  function holder(budget: MemoryBudget, name: string, bytes: number): Holding {
    const holding = budget.open(() => evicted.push(name));
    budget.hold(holding, bytes);
    return holding;
  }

  it('evicts by bytes and time, and only as many as necessary', () => {
    const budget = new MemoryBudget(100);
    holder(budget, 'small and old', 10);
    holder(budget, 'large and old', 60);
    nowMs = 10;
    holder(budget, 'large and new', 30);
    expect(evicted).toEqual([]);
    nowMs = 15;
    holder(budget, 'fresh', 40);
    expect(evicted).toEqual(['large and old']);
  });

  it('counts neither released nor evicted holdings', () => {
    const budget = new MemoryBudget(100);
    const first = holder(budget, 'first', 100);
    budget.release(first);
    budget.release(first);
    nowMs = 1;
    const second = holder(budget, 'second', 100);
    nowMs = 2;
    const third = holder(budget, 'third', 1);
    expect(evicted).toEqual(['second']);
    budget.hold(second, 100);
    budget.release(second);
    budget.hold(third, 99);
    expect(evicted).toEqual(['second']);
  });
});
