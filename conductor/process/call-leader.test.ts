import { describe, expect, it } from '@jest/globals';
import { TransportError } from '../../raft/index.js';
import { callLeader, type WayToLeader } from './call-leader.js';

const CALL = {
  method: 'conductor_addServerAsVoter',
  params: ['d', 'd:50050', 0],
  by: { address: '10.0.0.9:4711', token: 'alice' },
};

/** A way over which that is answered; over the RPC nobody is known. */
function wayWith(ask: WayToLeader['ask']): WayToLeader {
  return {
    ask,
    own: () => {
      throw new Error('called over the RPC');
    },
    askStatus: () => Promise.reject(new Error('asked for its status')),
  };
}

const answering = (answer: object): WayToLeader => wayWith(async () => answer);
const failing = (error: Error): WayToLeader => wayWith(() => Promise.reject(error));

describe('a change that goes on at the new leader', () => {
  it('is asked for over the consensus port, in the name of whoever wants it, with a deadline', async () => {
    const asked: unknown[] = [];
    const way = wayWith(async (...request) => {
      asked.push(...request);
      return { result: null };
    });
    // What is left of a deadline on a steady clock is no whole number.
    await callLeader(way, 'b', CALL, 4999.977);
    expect(asked).toEqual(['b', CALL, expect.any(AbortSignal)]);
  });

  it('has its answer', async () => {
    const refused = { error: { code: -32602, message: 'configuration changed since 7' } };
    await expect(callLeader(answering(refused), 'b', CALL)).rejects.toMatchObject({
      message: 'configuration changed since 7',
      reason: 'refused-by-leader',
      code: -32602,
    });
  });

  it('is to be repeated by hand when it certainly was not made', async () => {
    const error = new TransportError('unreachable', 'b', 'nobody listens', { hadNoEffect: true });
    await expect(callLeader(failing(error), 'b', CALL)).rejects.toMatchObject({
      reason: 'leader-not-asked',
      message: expect.stringMatching(/\(b: nobody listens\): repeat conductor_addServerAsVoter there$/),
    });
  });

  it.each<[string, WayToLeader]>([
    ['the leader did not answer', failing(new TransportError('timeout', 'b', 'no answer in time'))],
    ['the connection broke', failing(new TransportError('unreachable', 'b', 'reset'))],
    ['the answer cannot be read', answering({ error: 'what?' })],
  ])('is of unknown outcome when %s', async (_, way) => {
    await expect(callLeader(way, 'b', CALL)).rejects.toMatchObject({
      reason: 'unknown-outcome',
      message: expect.stringContaining('it is not known whether the change was made'),
    });
  });

  it('is asked for over the RPC of a leader that knows no such requests', async () => {
    const error = new TransportError('unknown-request', 'b', '404', { hadNoEffect: true });
    await expect(callLeader(failing(error), 'b', CALL)).rejects.toMatchObject({
      reason: 'leader-not-asked',
      message: expect.stringContaining('called over the RPC'),
    });
  });
});
