import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import type { ChainState } from '../chain/chain-state.js';
import { FAITHFUL_CALLER } from '../../rpc/server/json-rpc/caller.js';
import { committed, hashOf, refOf } from '../testing/chain.js';
import {
  CommitterUnderTest,
  notLeader,
  PREFIX,
  settled,
  type FakeLog,
} from './testing/committer-under-test.js';

let t: CommitterUnderTest;
let chain: ChainState;
let log: FakeLog;
const commit = (ref: BlockRef, gone?: AbortSignal): Promise<void> => t.commit(ref, gone);
const GONE = AbortSignal.abort();
const WAITS = FAITHFUL_CALLER.gone;

beforeEach(() => {
  t = new CommitterUnderTest();
  ({ chain, log } = t);
});

describe('the head whose commit was not answered', () => {
  const sibling = refOf(11, 'b', hashOf(10));

  beforeEach(async () => {
    await commit(refOf(10));
    log.calls.length = 0;
  });

  it('gives way to a sibling when the sibling comes, and that one stays', async () => {
    await commit(refOf(11), GONE);
    await commit(sibling, WAITS);
    expect(log.calls).toEqual([`propose 11 ${hashOf(11)}`, `propose 11 ${sibling.hash} for ${hashOf(11)}`]);
    expect(chain.head?.hash).toBe(sibling.hash);
    await expect(commit(refOf(11))).rejects.toMatchObject({ reason: 'contradicts-chain' });
    expect(t.contradicted).toEqual([refOf(11)]);
  });

  it('gives way again and again while nobody receives the answers', async () => {
    for (const branch of ['b', 'c', 'd']) await commit(refOf(11, branch, hashOf(10)), GONE);
    expect(log.calls.at(-1)).toBe(`propose 11 ${hashOf(11, 'd')} for ${hashOf(11, 'c')}`);
  });

  it('is one whose proposer left while it was being committed', async () => {
    log.manual = true;
    const leaves = new AbortController();
    const first = commit(refOf(11), leaves.signal);
    await settled();
    leaves.abort();
    log.next();
    await first;
    log.manual = false;
    await commit(sibling);
    expect(chain.head?.hash).toBe(sibling.hash);
  });

  it('is answered if any one of several callers still waits', async () => {
    for (const [number, signals] of [
      [11, [GONE, WAITS]],
      [12, [WAITS, GONE]],
      [13, [GONE, undefined]],
    ] as const) {
      await Promise.all(signals.map((gone) => commit(refOf(number), gone)));
      const other = commit(refOf(number, 'b', hashOf(number - 1)));
      await expect(other).rejects.toMatchObject({ reason: 'contradicts-chain' });
    }
  });

  it('stays once its proposer asked again and received the answer', async () => {
    await commit(refOf(11), GONE);
    await commit(refOf(11), WAITS);
    await expect(commit(sibling)).rejects.toMatchObject({ reason: 'contradicts-chain' });
  });

  it('does not stay because of an error answer', async () => {
    await commit(refOf(11), GONE);
    log.refusals.push({ outcome: 'rejected', reason: 'transfer-in-progress' });
    await expect(commit(refOf(11), WAITS)).rejects.toThrow('leadership transfer in progress');
    await commit(sibling);
    expect(chain.head?.hash).toBe(sibling.hash);
  });

  it('stays when its sibling could not be proposed, and gives way to the next', async () => {
    await commit(refOf(11), GONE);
    log.refusals.push({ outcome: 'rejected', reason: 'too-many-uncommitted' });
    await expect(commit(sibling, WAITS)).rejects.toThrow('timed out enqueuing operation');
    expect(chain.head?.hash).toBe(hashOf(11));
    await commit(refOf(11, 'c', hashOf(10)), WAITS);
    expect(chain.head?.hash).toBe(hashOf(11, 'c'));
  });

  it('stays for good in another term, also one of the same leader', async () => {
    await commit(refOf(11), GONE);
    log.term = 2;
    await expect(commit(sibling)).rejects.toMatchObject({ reason: 'contradicts-chain' });
    log.term = 1;
    await commit(refOf(12), GONE);
    log.term = 3;
    await commit(refOf(13), GONE);
    await expect(commit(refOf(12, 'b', hashOf(11)))).rejects.toThrow('the committed block 12');
    expect(chain.head?.hash).toBe(hashOf(13));
  });

  it('stays for good in another term, even after a proposal in that term', async () => {
    await commit(refOf(11), GONE);
    log.term = 2;
    log.refusals.push({ outcome: 'rejected', reason: 'too-many-uncommitted' });
    await expect(commit(refOf(12), GONE)).rejects.toThrow('timed out enqueuing operation');
    await expect(commit(sibling)).rejects.toMatchObject({ reason: 'contradicts-chain' });
  });

  it('makes way to a sibling only, and only while it is the head', async () => {
    await commit(refOf(11), GONE);
    await expect(commit(refOf(11, 'b'))).rejects.toMatchObject({ reason: 'contradicts-chain' });
    await expect(commit(refOf(10, 'b', hashOf(9)))).rejects.toMatchObject({ reason: 'contradicts-chain' });
    await commit(refOf(12), WAITS);
    await expect(commit(sibling)).rejects.toMatchObject({ reason: 'contradicts-chain' });
  });

  it('is refused as a replacement when the head changed between judgement and commit', async () => {
    await commit(refOf(11), GONE);
    log.manual = true;
    const replacement = commit(sibling);
    await settled();
    chain.apply(committed(refOf(12), 50), undefined);
    log.next();
    await expect(replacement).rejects.toMatchObject({ reason: 'contradicts-chain' });
    expect(chain.head?.hash).toBe(hashOf(12));
  });
});

describe('a block above a gap', () => {
  beforeEach(() => commit(refOf(10)));

  const linking = (): Map<number, string> =>
    new Map([10, 11, 12, 13, 14].map((number) => [number, hashOf(number)]));

  it('is accepted when the local chain has what is between', async () => {
    t.local = linking();
    await commit(refOf(15));
    expect(chain.head?.number).toBe(15);
  });

  it('needs no check when it is the first of all', async () => {
    t.local = new Error('nobody there');
    chain.startFrom(undefined);
    await commit(refOf(15));
    expect(chain.head?.number).toBe(15);
  });

  it.each([
    ['another committed head', new Map([...linking(), [10, hashOf(10, 'b')]]), hashOf(10, 'b'), true],
    ['no block at that height', new Map([[14, hashOf(14)]]), 'its block 10 is none', true],
    ['another parent', new Map([...linking(), [14, hashOf(14, 'b')]]), hashOf(14, 'b'), false],
    ['no parent', new Map([[10, hashOf(10)]]), 'its block 14 is none', false],
    ['no answer', new Error('no answer within 500 ms'), 'no answer within 500 ms', false],
  ])('is refused when the local chain has %s', async (_, chainThere, text, isElsewhere) => {
    t.local = chainThere;
    const refused = commit(refOf(15));
    await expect(refused).rejects.toMatchObject({ code: -32000, reason: 'unlinked-gap' });
    await expect(refused).rejects.toThrow(
      `${PREFIX}block 15 (${hashOf(15)}) leaves a gap above the committed head 10 (${hashOf(10)})`,
    );
    await expect(refused).rejects.toThrow(text);
    await expect(refused).rejects.toThrow('baton reset-head');
    expect(log.calls).toHaveLength(1);
    expect(t.contradicted).toEqual(isElsewhere ? [refOf(15)] : []);
  });

  it('is judged again when the head moved during the look at the local chain', async () => {
    t.local = linking();
    t.onAsked = () => {
      chain.apply(committed(refOf(11, 'b', hashOf(10)), 50), undefined);
    };
    await expect(commit(refOf(15))).rejects.toThrow(`above the committed head 11 (${hashOf(11, 'b')})`);
    expect(log.calls).toHaveLength(1);
  });

  it('is not proposed by a leader that was deposed during the look at the local chain', async () => {
    t.local = linking();
    t.onAsked = () => void (log.isReadyLeader = false);
    log.refusals.push(notLeader);
    await expect(commit(refOf(15))).rejects.toThrow('node is not the leader');
    expect(log.calls.slice(1)).toEqual(['barrier']);
  });
});
