import { describe, expect, it } from '@jest/globals';
import { TransportError } from '../../raft/index.js';
import { callLeader, type WayToLeader } from './call-leader.js';

const CALL = {
  method: 'conductor_addServerAsVoter',
  params: ['d', 'd:50050', 0],
  by: { address: '10.0.0.9:4711', token: 'alice' },
};

/** A way to the leader that gives this answer. No member is known over the RPC. */
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

describe('a change that continues at the new leader', () => {
  it('is asked for over the consensus port, on behalf of the caller, with a deadline', async () => {
    const asked: unknown[] = [];
    const way = wayWith(async (...request) => {
      asked.push(...request);
      return { result: null };
    });
    // The rest of a deadline on a steady clock is not a whole number.
    await callLeader(way, 'b', CALL, 4999.977);
    expect(asked).toEqual(['b', CALL, expect.any(AbortSignal)]);
  });

  it('returns the answer of the leader', async () => {
    const refused = { error: { code: -32602, message: 'configuration changed since 7' } };
    await expect(callLeader(answering(refused), 'b', CALL)).rejects.toMatchObject({
      message: 'configuration changed since 7',
      reason: 'refused-by-leader',
      code: -32602,
    });
  });

  it('must be repeated by hand if it was certainly not made', async () => {
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
  ])('has an unknown outcome when %s', async (_, way) => {
    await expect(callLeader(way, 'b', CALL)).rejects.toMatchObject({
      reason: 'unknown-outcome',
      message: expect.stringContaining('it is not known whether the change was made'),
    });
  });

  it('is asked for over the RPC if the leader does not know such requests', async () => {
    const error = new TransportError('unknown-request', 'b', '404', { hadNoEffect: true });
    await expect(callLeader(failing(error), 'b', CALL)).rejects.toMatchObject({
      reason: 'leader-not-asked',
      message: expect.stringContaining('called over the RPC'),
    });
  });
});
