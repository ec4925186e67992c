import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BlockId } from '../../rpc/payload/block-ref.js';
import { committed, hashOf, refOf, resetOf, silent } from '../testing/chain.js';
import { HeadResetter } from './head-resetter.js';
import { CommitterUnderTest, lost, notLeader, settled } from './testing/committer-under-test.js';

let t: CommitterUnderTest;
let resetter: HeadResetter;

const reset = (from: BlockId, to: BlockId): Promise<void> => resetter.reset(resetOf(from, to));

beforeEach(async () => {
  t = new CommitterUnderTest();
  resetter = new HeadResetter({ log: t.log, chain: t.chain, turns: t.turns, logger: silent });
  for (const number of [10, 11, 12]) await t.commit(refOf(number));
  t.log.calls.length = 0;
});

describe('HeadResetter', () => {
  it('takes the head back, and another branch goes on from there', async () => {
    await reset(refOf(12), refOf(10));
    expect(t.log.calls).toEqual([`reset ${hashOf(12)} to 10 ${hashOf(10)}`]);
    expect(t.chain.head?.hash).toBe(hashOf(10));
    await t.commit(refOf(11, 'b', hashOf(10)));
    expect(t.chain.head?.hash).toBe(hashOf(11, 'b'));
    await expect(t.commit(refOf(12))).rejects.toMatchObject({ reason: 'contradicts-chain' });
  });

  it('takes it to below what is retained', async () => {
    await reset(refOf(12), refOf(3));
    expect(t.chain.head).toMatchObject({ number: 3, hash: hashOf(3) });
    await t.commit(refOf(4, 'b', hashOf(3)));
    expect(t.chain.head?.number).toBe(4);
  });

  it.each([
    ['the head is another', refOf(11), refOf(10), 'head-changed', `the committed head is 12 (${hashOf(12)})`],
    ['another block is committed there', refOf(12), refOf(10, 'b'), 'not-an-ancestor', hashOf(10)],
    ['it would go nowhere', refOf(12), refOf(12), 'not-an-ancestor', 'the head is 12'],
    ['it would go up', refOf(12), refOf(13), 'not-an-ancestor', 'the head is 12'],
  ])('refuses when %s, without a trace in the log', async (_, from, to, reason, text) => {
    const refused = reset(from, to);
    await expect(refused).rejects.toMatchObject({ name: 'RpcError', code: -32000, reason });
    await expect(refused).rejects.toThrow(text);
    expect(t.log.calls).toEqual([]);
  });

  it('refuses while nothing is committed', async () => {
    t.chain.startFrom(undefined);
    await expect(reset(refOf(12), refOf(10))).rejects.toThrow('the committed head is none');
  });

  it('reports it when the head changed between judgement and commit', async () => {
    t.log.manual = true;
    const late = reset(refOf(12), refOf(10));
    await settled();
    t.chain.apply(committed(refOf(13), 50), undefined);
    t.log.next();
    await expect(late).rejects.toMatchObject({ reason: 'head-changed' });
    expect(t.chain.head?.number).toBe(13);
  });

  it('waits until a new leader knows the committed chain', async () => {
    t.log.isReadyLeader = false;
    t.log.meanwhile = () => void t.chain.apply(committed(refOf(13), 50), undefined);
    await expect(reset(refOf(12), refOf(10))).rejects.toThrow(`the committed head is 13 (${hashOf(13)})`);
    await reset(refOf(13), refOf(10));
    expect(t.log.calls).toEqual(['barrier', 'barrier', `reset ${hashOf(13)} to 10 ${hashOf(10)}`]);
  });

  it.each([
    [notLeader, 'node is not the leader', 'not-leader'],
    [lost, 'leadership lost while committing log', 'unknown-outcome'],
  ])('says that this is not the leader: %j', async (refusal, message, reason) => {
    t.log.refusals.push(refusal);
    await expect(reset(refOf(12), refOf(10))).rejects.toMatchObject({ message, reason });
    expect(t.chain.head?.number).toBe(12);
  });

  it('to a block whose commit was not answered leaves it in its place: a child of it was committed', async () => {
    await t.commit(refOf(13), AbortSignal.abort());
    await t.commit(refOf(14));
    await reset(refOf(14), refOf(13));
    await expect(t.commit(refOf(13, 'b', hashOf(12)))).rejects.toMatchObject({ reason: 'contradicts-chain' });
  });

  it('takes turns with commits: a block of the branch that gives way does not come to lie above a gap', async () => {
    t.log.manual = true;
    const resetting = reset(refOf(12), refOf(10));
    const onOldBranch = t.commit(refOf(13));
    await settled();
    expect(t.log.calls).toHaveLength(1);
    t.log.next();
    await resetting;
    await expect(onOldBranch).rejects.toMatchObject({ reason: 'unlinked-gap' });
    expect(t.chain.head?.hash).toBe(hashOf(10));
  });

  it('takes turns with commits: a commit in progress is not reset with the head below it', async () => {
    t.log.manual = true;
    const committing = t.commit(refOf(13));
    const resetting = reset(refOf(12), refOf(10));
    await settled();
    t.log.next();
    await committing;
    await expect(resetting).rejects.toMatchObject({ reason: 'head-changed' });
    expect(t.chain.head?.number).toBe(13);
  });
});
