import { beforeEach, describe, expect, it } from '@jest/globals';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import type { ChainState } from '../chain/chain-state.js';
import { committed, hashOf, refOf } from '../testing/chain.js';
import {
  CommitterUnderTest,
  lost,
  notLeader,
  PREFIX,
  settled,
  type FakeLog,
  type Refusal,
} from './testing/committer-under-test.js';

let t: CommitterUnderTest;
let chain: ChainState;
let log: FakeLog;
const commit = (ref: BlockRef): Promise<void> => t.commit(ref);

beforeEach(() => {
  t = new CommitterUnderTest();
  ({ chain, log } = t);
});

describe('PayloadCommitter', () => {
  it('commits a block and its successor', async () => {
    await commit(refOf(10));
    await commit(refOf(11));
    expect(log.calls).toEqual([`propose 10 ${hashOf(10)}`, `propose 11 ${hashOf(11)}`]);
    expect(chain.head?.hash).toBe(hashOf(11));
  });

  it('says success only when the block is committed', async () => {
    log.manual = true;
    let ended = false;
    const commitment = commit(refOf(10)).then(() => (ended = true));
    await settled();
    expect(ended).toBe(false);
    log.next();
    await commitment;
  });

  it('gives a block that is already in flight the same answer, success or not', async () => {
    for (const refusal of [undefined, lost]) {
      log.manual = true;
      if (refusal) log.refusals.push(refusal);
      const ref = refusal ? refOf(11) : refOf(10);
      const answers = Promise.allSettled([commit(ref), commit(ref), commit(ref)]);
      await settled();
      log.next();
      const wanted = refusal ? 'rejected' : 'fulfilled';
      expect((await answers).map(({ status }) => status)).toEqual([wanted, wanted, wanted]);
    }
    expect(log.calls).toEqual([`propose 10 ${hashOf(10)}`, `propose 11 ${hashOf(11)}`]);
  });

  it('tries a block again after a failure: the answer is not kept', async () => {
    log.refusals.push(lost);
    await expect(commit(refOf(10))).rejects.toThrow('leadership lost');
    await commit(refOf(10));
    expect(log.calls).toHaveLength(2);
    expect(chain.head?.hash).toBe(hashOf(10));
  });

  it('keeps the order of arrival: each block is judged against the previous one', async () => {
    log.manual = true;
    const order: number[] = [];
    const all = [10, 11, 12].map((number) => commit(refOf(number)).then(() => order.push(number)));
    for (const proposals of [1, 2, 3]) {
      await settled();
      expect(log.calls).toHaveLength(proposals);
      log.next();
    }
    await Promise.all(all);
    expect(order).toEqual([10, 11, 12]);
  });

  it('continues after a failure', async () => {
    await commit(refOf(10));
    log.manual = true;
    log.refusals.push(lost);
    const failing = commit(refOf(11));
    const next = commit(refOf(11, 'b', hashOf(10)));
    await settled();
    log.next();
    await expect(failing).rejects.toThrow('leadership lost');
    await settled();
    log.next();
    await next;
    expect(chain.head?.hash).toBe(hashOf(11, 'b'));
  });

  it('bounds the queue; repeated blocks still share the answer of the queued one', async () => {
    log.manual = true;
    const waiting = Array.from({ length: 64 }, (_, at) => commit(refOf(10 + at)));
    await expect(commit(refOf(74))).rejects.toMatchObject({
      message: `${PREFIX}timed out enqueuing operation`,
      reason: 'queue-full',
    });
    const again = commit(refOf(73));
    for (let at = 0; at < 64; at++) {
      await settled();
      log.next();
    }
    await Promise.all([...waiting, again]);
    await settled();
    log.manual = false;
    await commit(refOf(74));
    expect(chain.head?.number).toBe(74);
  });

  describe('a block that contradicts the chain', () => {
    beforeEach(() => commit(refOf(10)));

    it('is refused with both hashes and never proposed', async () => {
      const calls = log.calls.length;
      const error = await commit(refOf(11, 'b')).catch((reason: Error) => reason);
      expect(error).toMatchObject({ name: 'RpcError', code: -32000, reason: 'contradicts-chain' });
      expect((error as Error).message).toContain(PREFIX);
      expect((error as Error).message).toContain(hashOf(10, 'b'));
      expect((error as Error).message).toContain(hashOf(10));
      expect(log.calls).toHaveLength(calls);
      expect(chain.head?.hash).toBe(hashOf(10));
    });

    it('is refused even if that shows only on apply', async () => {
      log.manual = true;
      const refused = commit(refOf(11));
      await settled();
      chain.apply(committed(refOf(11, 'b', hashOf(10)), 50), undefined);
      log.next();
      await expect(refused).rejects.toMatchObject({ reason: 'contradicts-chain' });
      await expect(refused).rejects.toThrow(new RegExp(`^${PREFIX}.*${hashOf(11)}.*${hashOf(11, 'b')}`));
      expect(chain.head?.hash).toBe(hashOf(11, 'b'));
    });

    it('is refused when it is linked: the height has its block, at the head and below', async () => {
      await commit(refOf(11));
      log.calls.length = 0;
      for (const number of [10, 11]) {
        const refused = commit(refOf(number, 'b', hashOf(number - 1)));
        await expect(refused).rejects.toMatchObject({ reason: 'contradicts-chain' });
        await expect(refused).rejects.toThrow(`but the committed block ${number} is ${hashOf(number)}`);
      }
      expect(log.calls).toEqual([]);
      expect(chain.head?.hash).toBe(hashOf(11));
    });

    it('is reported to listeners, even if that shows only on apply', async () => {
      await expect(commit(refOf(11, 'b'))).rejects.toThrow();
      log.manual = true;
      const late = commit(refOf(11));
      await settled();
      chain.apply(committed(refOf(11, 'b', hashOf(10)), 50), undefined);
      log.next();
      await expect(late).rejects.toThrow();
      expect(t.contradicted).toEqual([refOf(11, 'b'), refOf(11)]);
    });
  });

  describe('a block that is already committed', () => {
    beforeEach(async () => {
      await commit(refOf(10));
      await commit(refOf(11));
      log.calls.length = 0;
    });

    it.each([10, 11])('is success again (block %i), after proof of leadership', async (number) => {
      await commit(refOf(number));
      expect(log.calls).toEqual(['barrier']);
    });

    it.each([
      ['not the leader', notLeader, 'node is not the leader', 'not-leader'],
      ['leadership lost', lost, 'leadership lost while committing log', 'unknown-outcome'],
    ])('is no success on a deposed leader (%s)', async (_, refusal, text, reason) => {
      log.refusals.push(refusal);
      await expect(commit(refOf(11))).rejects.toMatchObject({ message: PREFIX + text, reason });
    });

    it('is judged again when it was replaced before the proof: the height now has another block', async () => {
      log.meanwhile = () => void chain.apply(committed(refOf(11, 'b', hashOf(10)), 50), hashOf(11));
      await expect(commit(refOf(11))).rejects.toThrow(`the committed block 11 is ${hashOf(11, 'b')}`);
      expect(log.calls).toEqual(['barrier']);
    });

    it('is judged again when it was replaced before the proof: no longer linked, it is refused', async () => {
      log.meanwhile = () => void chain.apply(committed(refOf(10, 'b', hashOf(9)), 50), hashOf(11));
      await expect(commit(refOf(11))).rejects.toMatchObject({ reason: 'contradicts-chain' });
      expect(log.calls).toEqual(['barrier']);
    });
  });

  describe('on a node that is not a ready leader', () => {
    beforeEach(() => {
      log.isReadyLeader = false;
    });

    it('waits until it knows the committed chain before it judges', async () => {
      log.meanwhile = () => {
        log.isReadyLeader = true;
        chain.apply(committed(refOf(10)), undefined);
      };
      await commit(refOf(11));
      expect(log.calls).toEqual(['barrier', `propose 11 ${hashOf(11)}`]);
    });

    it('refuses by leadership, not by a chain that may be old', async () => {
      chain.apply(committed(refOf(20)), undefined);
      log.refusals.push(notLeader);
      await expect(commit(refOf(11, 'b'))).rejects.toMatchObject({
        message: `${PREFIX}node is not the leader`,
      });
      expect(log.calls).toEqual(['barrier']);
    });
  });

  it.each<[Refusal, string, string]>([
    [notLeader, 'node is not the leader', 'not-leader'],
    [
      { outcome: 'rejected', reason: 'transfer-in-progress' },
      'leadership transfer in progress',
      'transfer-in-progress',
    ],
    [
      { outcome: 'rejected', reason: 'too-many-uncommitted' },
      'timed out enqueuing operation',
      'too-many-uncommitted',
    ],
    [{ outcome: 'rejected', reason: 'stopped' }, 'raft is already shutdown', 'stopped'],
    [lost, 'leadership lost while committing log', 'unknown-outcome'],
  ])('answers %j with the text of op-conductor', async (refusal, text, reason) => {
    log.refusals.push(refusal);
    await expect(commit(refOf(10))).rejects.toMatchObject({
      name: 'RpcError',
      message: PREFIX + text,
      reason,
      code: -32000,
    });
    expect(chain.head).toBeUndefined();
  });
});
