import { describe, expect, it } from '@jest/globals';
import { RpcCode, RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import { RefusedCommits } from '../control/refused-commits.js';
import { noteCommitAnswer } from './commit-answers.js';

const method = 'conductor_commitUnsafePayload';
const refusal = (reason: string, code?: number): RpcError =>
  new RpcError(`it is ${reason}`, code === undefined ? { reason } : { reason, code });

/** The reason given after these answers. */
function after(...answers: { method?: string; error?: RpcError }[]): string | undefined {
  const commits = new RefusedCommits();
  answers.forEach((answer, second) => noteCommitAnswer(commits, { method, ...answer }, second * 1000));
  return commits.reasonAt(10_000);
}

describe('refused commits', () => {
  const contradicting = { error: refusal('contradicts-chain') };

  it('are not reported while a healthy sequencer may commit a block in between', () => {
    const commits = new RefusedCommits();
    for (let call = 0; call < 100; call++) noteCommitAnswer(commits, { method, ...contradicting }, 1000);
    expect(commits.reasonAt(5999)).toBeUndefined();
    expect(commits.reasonAt(6000)).toBe('it is contradicts-chain');
    noteCommitAnswer(commits, { method }, 6001);
    expect(commits.reasonAt(60_000)).toBeUndefined();
  });

  it.each([
    ['twice', [contradicting, contradicting], undefined],
    ['three times', [contradicting, contradicting, contradicting], 'it is contradicts-chain'],
    ['with a success between', [contradicting, contradicting, {}, contradicting], undefined],
    [
      'because they cannot be read, by either method',
      [
        { error: refusal('unknown-field', RpcCode.invalidParams) },
        { method: 'commit-unsafe-payload', error: refusal('bad-ssz', RpcCode.invalidParams) },
        { error: refusal('unlinked-gap') },
      ],
      'it is unlinked-gap',
    ],
    [
      'because there is no leader or no quorum',
      ['not-leader', 'unknown-outcome', 'queue-full'].map((reason) => ({ error: refusal(reason) })),
      undefined,
    ],
    [
      'but not calls of other methods',
      Array.from({ length: 3 }, () => ({ method: 'conductor_pause', error: contradicting.error })),
      undefined,
    ],
  ])('%s', (_, answers, said) => {
    expect(after(...answers)).toBe(said);
  });
});
