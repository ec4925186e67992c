import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../raft/index.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import { ChainState, type Verdict } from '../chain/chain-state.js';
import { decodeCommand } from '../chain/log-command.js';
import { committed, hashOf, payloadOf, refOf, silent } from '../testing/chain.js';
import { PayloadCommitter, type Log } from './payload-committer.js';

const PREFIX = 'failed to apply payload envelope: ';

type Refusal = Exclude<Outcome<object>, { outcome: 'done' }>;
const notLeader: Refusal = { outcome: 'rejected', reason: 'not-leader' };
const lost: Refusal = { outcome: 'unknown', reason: 'leadership lost' };

/** Settled promises have run their course. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A log that commits a proposal when the test says so, and applies it to the chain. */
class FakeLog implements Log {
  isReadyLeader = true;
  readonly calls: string[] = [];
  /** Proposals and barriers are answered by hand when set. */
  manual = false;
  /** Answers to come instead of success, in order. */
  readonly refusals: Refusal[] = [];
  /** Runs before a barrier is answered: what the cluster did meanwhile. */
  meanwhile = (): void => undefined;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly chain: ChainState) {}

  propose(data: Uint8Array): Promise<Outcome<{ result: Verdict }>> {
    const { payload, replacesHead } = decodeCommand(data);
    const { ref } = payload;
    this.calls.push(
      `propose ${ref.number} ${ref.hash}${replacesHead === undefined ? '' : ` for ${replacesHead}`}`,
    );
    return this.answer(() => {
      const index = this.calls.length;
      const result = this.chain.apply(committed(ref, index), replacesHead);
      return { outcome: 'done', index, term: 1, result };
    });
  }

  readBarrier(): Promise<Outcome<object>> {
    this.calls.push('barrier');
    return this.answer(() => {
      this.meanwhile();
      return { outcome: 'done', index: 1, term: 1 };
    });
  }

  /** Answers what waits longest. */
  next(): void {
    this.waiting.shift()?.();
  }

  private answer<T>(done: () => Outcome<T>): Promise<Outcome<T>> {
    return new Promise((resolve) => {
      const end = (): void => resolve(this.refusals.shift() ?? done());
      if (this.manual) this.waiting.push(end);
      else end();
    });
  }
}

let chain: ChainState;
let log: FakeLog;
let committer: PayloadCommitter;
const commit = (ref: BlockRef): Promise<void> => committer.commit(payloadOf(ref));

beforeEach(() => {
  chain = new ChainState();
  log = new FakeLog(chain);
  committer = new PayloadCommitter(log, chain, silent);
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

  it('gives the same block in flight the answer of the first, success or not', async () => {
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

  it('tries a block again after it failed: the answer is not kept', async () => {
    log.refusals.push(lost);
    await expect(commit(refOf(10))).rejects.toThrow('leadership lost');
    await commit(refOf(10));
    expect(log.calls).toHaveLength(2);
    expect(chain.head?.hash).toBe(hashOf(10));
  });

  it('keeps the order of arrival: each block is judged against the one before it', async () => {
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

  it('goes on after a failure', async () => {
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

  it('bounds the queue; blocks that are in it already still share their answer', async () => {
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

    it('is refused also when it only turns out on apply', async () => {
      log.manual = true;
      const refused = commit(refOf(11));
      await settled();
      chain.apply(committed(refOf(11, 'b', hashOf(10)), 50), undefined);
      log.next();
      await expect(refused).rejects.toMatchObject({ reason: 'contradicts-chain' });
      await expect(refused).rejects.toThrow(new RegExp(`^${PREFIX}.*${hashOf(11)}.*${hashOf(11, 'b')}`));
      expect(chain.head?.hash).toBe(hashOf(11, 'b'));
    });

    it('is proposed as a replacement of the head when it is linked', async () => {
      await commit(refOf(11));
      await commit(refOf(10, 'b', hashOf(9)));
      expect(log.calls.at(-1)).toBe(`propose 10 ${hashOf(10, 'b')} for ${hashOf(11)}`);
      expect(chain.head?.hash).toBe(hashOf(10, 'b'));
    });

    it('is refused as a replacement when the head changed between judgement and commit', async () => {
      log.manual = true;
      const replacement = commit(refOf(10, 'b', hashOf(9)));
      await settled();
      chain.apply(committed(refOf(11), 50), undefined);
      log.next();
      await expect(replacement).rejects.toMatchObject({ reason: 'contradicts-chain' });
      expect(chain.head?.hash).toBe(hashOf(11));
    });

    it('is accepted over a gap', async () => {
      await commit(refOf(15));
      expect(chain.head?.number).toBe(15);
    });
  });

  describe('a block that is committed already', () => {
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

    it('is judged anew when it was replaced before the proof: linked, it replaces in its turn', async () => {
      log.meanwhile = () => void chain.apply(committed(refOf(11, 'b', hashOf(10)), 50), hashOf(11));
      await commit(refOf(11));
      expect(log.calls).toEqual(['barrier', `propose 11 ${hashOf(11)} for ${hashOf(11, 'b')}`]);
      expect(chain.head?.hash).toBe(hashOf(11));
    });

    it('is judged anew when it was replaced before the proof: no longer linked, it is refused', async () => {
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
