import { beforeEach, describe, expect, it } from '@jest/globals';
import { LogKnowledge } from './log-knowledge.js';

type Status = ReturnType<ConstructorParameters<typeof LogKnowledge>[0]['status']>;

let status: Status;
let nowMs: number;
let asked: string[];
let answer: () => Promise<number>;
let knowledge: LogKnowledge;

beforeEach(() => {
  status = { role: 'follower', ready: false, leader: null, appliedIndex: 0 };
  nowMs = 0;
  asked = [];
  answer = async () => 100;
  knowledge = new LogKnowledge({
    status: () => status,
    appliedByLeader: (leader) => {
      asked.push(leader);
      return answer();
    },
    now: () => nowMs,
  });
});

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('LogKnowledge', () => {
  it('of a follower is complete once it has applied what the leader had', async () => {
    status = { ...status, leader: 'b', appliedIndex: 40 };
    expect(knowledge.isKnown).toBe(false);
    await later();
    expect(knowledge.isKnown).toBe(false);
    status = { ...status, appliedIndex: 100 };
    expect(knowledge.isKnown).toBe(true);
    expect(asked).toEqual(['b']);
    // And it stays complete.
    status = { ...status, leader: null, appliedIndex: 0 };
    expect(knowledge.isKnown).toBe(true);
  });

  it('is requested again if the leader does not answer, one request at a time', async () => {
    status = { ...status, leader: 'b', appliedIndex: 100 };
    answer = () => Promise.reject(new Error('no answer'));
    expect([knowledge.isKnown, knowledge.isKnown, asked.length]).toEqual([false, false, 1]);
    await later();
    answer = async () => 100;
    expect(knowledge.isKnown).toBe(false);
    await later();
    expect(knowledge.isKnown).toBe(true);
  });

  it('of a leader is complete when its leadership is ready', () => {
    status = { ...status, role: 'leader', leader: 'a' };
    expect(knowledge.isKnown).toBe(false);
    status = { ...status, ready: true };
    expect(knowledge.isKnown).toBe(true);
    expect(asked).toEqual([]);
  });

  it('is not waited for if nobody leads: nothing can be committed then', () => {
    nowMs = 3000;
    expect(knowledge.isKnown).toBe(false);
    nowMs = 3001;
    expect(knowledge.isKnown).toBe(true);
  });

  it('is not waited for if the leader cannot be asked for ten seconds: a follower would keep sequencing', async () => {
    status = { ...status, leader: 'b', appliedIndex: 40 };
    answer = () => Promise.reject(new Error('nobody listens at the listed address'));
    for (nowMs = 0; nowMs <= 10_000; nowMs += 500) {
      expect(knowledge.isKnown).toBe(false);
      await later();
    }
    expect(knowledge.isKnown).toBe(true);
  });
});
