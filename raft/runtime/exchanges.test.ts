import { describe, expect, it } from '@jest/globals';
import type { HeartbeatRequest, HeartbeatResponse, ResponseMessage } from '../core/messages.js';
import { heartbeat, heartbeatAnswer } from '../core/testing/core-harness.js';
import { Exchanges } from './exchanges.js';

const request = (requestId: number): HeartbeatRequest => heartbeat(1, { requestId, round: requestId });
const response = (requestId: number, round: number): HeartbeatResponse =>
  heartbeatAnswer(1, { requestId, round });

describe('Exchanges', () => {
  it('tell apart requests with the same number, from two peers or from two runs of one', () => {
    const exchanges = new Exchanges();
    const answers: (ResponseMessage | null)[] = [];
    const first = exchanges.begin(request(7), (answer) => answers.push(answer));
    const second = exchanges.begin(request(7), (answer) => answers.push(answer));
    expect(second.requestId).not.toBe(first.requestId);
    exchanges.answer(response(second.requestId, 22));
    exchanges.answer(response(first.requestId, 11));
    // Each with the number of its requester.
    expect(answers).toEqual([response(7, 22), response(7, 11)]);
    expect(exchanges.size).toBe(0);
  });

  it('answer once', () => {
    const exchanges = new Exchanges();
    const answers: (ResponseMessage | null)[] = [];
    const { requestId } = exchanges.begin(request(1), (answer) => answers.push(answer));
    exchanges.answer(response(requestId, 1));
    exchanges.answer(response(requestId, 1));
    exchanges.abandon();
    expect(answers).toHaveLength(1);
  });

  it('tell all requesters but one that no answer will come', () => {
    const exchanges = new Exchanges();
    const answers = new Map<number, ResponseMessage | null>();
    const begin = (id: number) => exchanges.begin(request(id), (answer) => answers.set(id, answer)).requestId;
    begin(1);
    begin(2);
    const current = begin(3);
    exchanges.abandon(current);
    expect([...answers]).toEqual([
      [1, null],
      [2, null],
    ]);
    expect(exchanges.size).toBe(1);
    exchanges.abandon();
    expect(answers.get(3)).toBeNull();
    expect(exchanges.size).toBe(0);
  });
});
