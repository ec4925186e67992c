import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MIB } from '../../common/bytes.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import { ChainState, type CommittedBlock } from '../chain/chain-state.js';
import { chainOf, committed, hashOf, refOf, silent } from '../testing/chain.js';
import { FakeNode, historyOf } from '../testing/fake-node.js';
import { bringToHead, type BringOptions } from './bring-to-head.js';
import { virtualSleep } from '../testing/virtual-sleep.js';
import { useVirtualTime } from '../testing/virtual-time.js';

useVirtualTime();

const DEADLINE_MS = 3000;

let chain: ChainState;
let node: FakeNode;
let abort: AbortController;

function commitAll(blocks: readonly CommittedBlock[]): void {
  for (const block of blocks) chain.apply(block, undefined);
}

/** Blocks of one branch without log indices, as a node has them. */
const refs = (from: number, to: number, branch = 'a'): BlockRef[] =>
  chainOf(from, to, branch).map(({ number }) => refOf(number, branch));

function bring(upTo: BringOptions['upTo'] = 'head'): Promise<BlockRef> {
  const { opNode, execution } = node;
  return bringToHead(
    { opNode, execution, history: historyOf(chain), logger: silent, sleep: virtualSleep },
    { signal: abort.signal, deadlineMs: DEADLINE_MS, callTimeoutMs: 1000, upTo },
  );
}

/** Lets time pass until the promise settles. */
async function ended<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
  let over = false;
  const mark = (): void => void (over = true);
  promise.then(mark, mark);
  for (let passed = 0; !over && passed < withinMs; passed += 10) await jest.advanceTimersByTimeAsync(10);
  expect(over).toBe(true);
  return promise;
}

async function timed<T>(promise: Promise<T>): Promise<number> {
  const beganMs = performance.now();
  await ended(promise).catch(() => undefined);
  return performance.now() - beganMs;
}

beforeEach(() => {
  chain = new ChainState();
  commitAll(chainOf(1, 10));
  node = new FakeNode(refs(1, 10));
  abort = new AbortController();
});
afterEach(() => {
  abort.abort();
  jest.clearAllTimers();
});

describe('bringToHead', () => {
  it('has nothing to do when the heads are equal', async () => {
    await expect(bring()).resolves.toEqual(refOf(10));
    expect(node.posted).toEqual([]);
  });

  it('returns the local head when nothing was ever committed', async () => {
    chain = new ChainState();
    await expect(bring()).resolves.toEqual(refOf(10));
  });

  it.each([1, 5, 200])('posts the %i blocks that the node lacks, in order, each once', async (behind) => {
    commitAll(chainOf(11, 300));
    node = new FakeNode(refs(1, 300 - behind));
    node.faults.set('blockByNumber', new Error('not needed on the committed chain'));
    const beganMs = performance.now();
    await expect(ended(bring())).resolves.toEqual(refOf(300));
    expect(node.postedNumbers).toEqual(refs(301 - behind, 300).map(({ number }) => number));
    expect(performance.now() - beganMs).toBeLessThan(200);
  });

  it('does not flood a slow node', async () => {
    commitAll(chainOf(11, 210));
    node.importMs = 7;
    let most = 0;
    node.onLatestBlock = () => (most = Math.max(most, node.waiting));
    await ended(bring());
    expect(most).toBeGreaterThan(32);
    expect(most).toBeLessThanOrEqual(64);
    expect(node.posted).toHaveLength(200);
  });

  it('bounds the bytes under way, but posts a block of any size', async () => {
    const large = chainOf(11, 20).map((block) => ({
      ...block,
      byteLength: (block.number === 14 ? 30 : 6) * MIB,
    }));
    commitAll(large);
    node.importMs = 25;
    let most = 0;
    node.onLatestBlock = () => (most = Math.max(most, node.waiting));
    await ended(bring());
    expect(most).toBe(3);
    expect(node.head).toEqual(refOf(20));
  });

  it('posts again a block that op-node has dropped (issue #12448), after half a second', async () => {
    commitAll(chainOf(11, 12));
    node.losesPosts = 2;
    await expect(ended(bring())).resolves.toEqual(refOf(12));
    expect(node.postedNumbers).toEqual([11, 12, 11, 12]);
    const [first, , second] = node.posted;
    expect(second!.atMs - first!.atMs).toBeGreaterThan(500);
    expect(second!.atMs - first!.atMs).toBeLessThan(600);
  });

  it('resets op-node once when it believes in blocks that its client has lost', async () => {
    commitAll(chainOf(11, 12));
    node.unsafeHead = refOf(12);
    await expect(ended(bring())).resolves.toEqual(refOf(12));
    expect(node.resets).toBe(1);
  });

  it('goes on when op-node cannot be reset', async () => {
    commitAll(chainOf(11, 12));
    node.losesPosts = 2;
    node.faults.set('resetPipeline', new Error('no such method'));
    await expect(ended(bring())).resolves.toEqual(refOf(12));
  });

  it('posts blocks that op-node lacks but its client has', async () => {
    node.unsafeHead = refOf(7);
    await expect(ended(bring())).resolves.toEqual(refOf(10));
    expect(node.postedNumbers).toEqual([8, 9, 10]);
  });

  it('goes on with blocks that are committed meanwhile', async () => {
    commitAll(chainOf(11, 14));
    node.importMs = 30;
    const result = bring();
    await jest.advanceTimersByTimeAsync(50);
    commitAll(chainOf(15, 16));
    await expect(ended(result)).resolves.toEqual(refOf(16));
    expect(node.postedNumbers).toEqual([11, 12, 13, 14, 15, 16]);
  });

  it('posts the new block when one is replaced meanwhile', async () => {
    commitAll(chainOf(11, 12));
    node.importMs = 30;
    const result = bring();
    await jest.advanceTimersByTimeAsync(15);
    chain.apply(committed(refOf(12, 'b', hashOf(11)), 20), hashOf(12));
    expect(await timed(result)).toBeLessThan(400);
    await expect(result).resolves.toMatchObject({ hash: hashOf(12, 'b') });
  });

  it('waits as long as a slow node needs while its head moves', async () => {
    commitAll(chainOf(11, 15));
    node.importMs = DEADLINE_MS - 100;
    await expect(ended(bring())).resolves.toEqual(refOf(15));
  });

  it('gives up on a node that does not follow, naming both heads', async () => {
    commitAll(chainOf(11, 12));
    node.losesPosts = Infinity;
    const beganMs = performance.now();
    const error = await ended(bring()).catch((reason: Error) => reason);
    expect(error).toMatchObject({ name: 'BehindError', code: 'node-does-not-follow' });
    expect((error as Error).message).toContain(`10 (${hashOf(10)})`);
    expect((error as Error).message).toContain(`12 (${hashOf(12)})`);
    expect(performance.now() - beganMs).toBeLessThan(DEADLINE_MS + 50);
    expect(node.posted.length).toBeLessThanOrEqual(2 * Math.ceil(DEADLINE_MS / 500));
  });

  describe('when the history is short', () => {
    beforeEach(() => {
      commitAll(chainOf(11, 20));
      chain.dropUpTo(15);
    });

    it('needs only the block above the local head', async () => {
      node = new FakeNode(refs(1, 15));
      await expect(ended(bring())).resolves.toEqual(refOf(20));
      expect(node.postedNumbers).toEqual([16, 17, 18, 19, 20]);
    });

    it('waits for gossip and posts the rest', async () => {
      const result = bring();
      await jest.advanceTimersByTimeAsync(DEADLINE_MS - 100);
      node.gossip(...refs(11, 14));
      await jest.advanceTimersByTimeAsync(DEADLINE_MS - 100);
      expect(node.posted).toEqual([]);
      node.gossip(refOf(15));
      await expect(ended(result)).resolves.toEqual(refOf(20));
      expect(node.postedNumbers).toEqual([16, 17, 18, 19, 20]);
    });

    it('waits for gossip only until its deadline', async () => {
      const beganMs = performance.now();
      await expect(ended(bring())).rejects.toMatchObject({ name: 'BehindError', code: 'history-too-short' });
      expect(performance.now() - beganMs).toBeLessThan(DEADLINE_MS + 50);
      expect(node.posted).toEqual([]);
    });

    it('gives the last reason when gossip has helped but then the node did not follow', async () => {
      const result = bring();
      result.catch(() => undefined);
      await jest.advanceTimersByTimeAsync(1000);
      node.losesPosts = Infinity;
      node.gossip(...refs(11, 15));
      await expect(ended(result)).rejects.toMatchObject({ code: 'node-does-not-follow' });
    });

    it('does not post across a gap of the chain', async () => {
      chain = new ChainState();
      commitAll([...chainOf(5, 10), ...chainOf(13, 14)]);
      await expect(ended(bring())).rejects.toMatchObject({ code: 'history-too-short' });
      node.gossip(...refs(11, 12));
      await expect(ended(bring())).resolves.toEqual(refOf(14));
    });
  });

  describe('when the node is on another chain', () => {
    it('accepts a node that is ahead on the committed chain', async () => {
      node.gossip(...refs(11, 13));
      await expect(bring()).resolves.toEqual(refOf(13));
      expect(node.posted).toEqual([]);
    });

    it.each([
      ['lower', 8],
      ['of the same height', 10],
      ['higher', 12],
    ])('leads a node back whose head is %s', async (_, height) => {
      node = new FakeNode([...refs(1, 6), refOf(7, 'b', hashOf(6)), ...refs(8, height, 'b')]);
      await expect(ended(bring())).resolves.toEqual(refOf(10));
      expect(node.postedNumbers).toEqual([7, 8, 9, 10]);
    });

    it('gives up on a node that stays there, without flooding it', async () => {
      node = new FakeNode([...refs(1, 6), refOf(7, 'b', hashOf(6)), ...refs(8, 12, 'b')]);
      node.reorgs = false;
      await expect(ended(bring())).rejects.toMatchObject({ code: 'node-does-not-follow' });
      expect(node.head.number).toBe(12);
      expect(node.posted.length).toBeLessThanOrEqual(4 * Math.ceil(DEADLINE_MS / 500));
    });

    it('finds the end of a deep fork in few queries, and does not repeat them', async () => {
      chain = new ChainState();
      commitAll(chainOf(1, 2000));
      const fork = [...refs(1, 700), refOf(701, 'b', hashOf(700)), ...refs(702, 1990, 'b')];
      node = new FakeNode(fork);
      node.reorgs = false;
      let asked = 0;
      const { blockByNumber } = node.execution;
      node.execution.blockByNumber = (number, options) => {
        asked += 1;
        return blockByNumber(number, options);
      };
      await expect(ended(bring())).rejects.toMatchObject({ code: 'node-does-not-follow' });
      expect(node.postedNumbers[0]).toBe(701);
      expect(asked).toBeLessThan(30);
    });

    it.each([0, 1, 2, 3, 5, 8, 9])('finds where the branches part, after block %i', async (common) => {
      const own = common < 10 ? [refOf(common + 1, 'b', hashOf(common)), ...refs(common + 2, 10, 'b')] : [];
      node = new FakeNode([refOf(0), ...refs(1, common), ...own]);
      chain.startFrom(committed(refOf(0)));
      commitAll(chainOf(1, 10));
      await expect(ended(bring())).resolves.toEqual(refOf(10));
      expect(node.postedNumbers).toEqual(refs(common + 1, 10).map(({ number }) => number));
    });

    it('reports that it cannot help when the branches part below its history', async () => {
      chain.dropUpTo(5);
      node = new FakeNode(refs(1, 10, 'b'));
      await expect(ended(bring())).rejects.toMatchObject({ code: 'history-too-short' });
      expect(node.posted).toEqual([]);
    });
  });

  describe('errors', () => {
    beforeEach(() => commitAll(chainOf(11, 12)));

    it.each(['latestBlock', 'postUnsafePayload'] as const)('of %s end it at once', async (call) => {
      node.faults.set(call, new Error('refused'));
      await expect(ended(bring())).rejects.toThrow('refused');
    });

    it('of the history end it at once', async () => {
      const history = historyOf(chain);
      history.payload = async () => Promise.reject(new Error('no longer retained'));
      const { opNode, execution } = node;
      const result = bringToHead(
        { opNode, execution, history, logger: silent, sleep: virtualSleep },
        { signal: abort.signal, deadlineMs: DEADLINE_MS, callTimeoutMs: 1000, upTo: 'head' },
      );
      await expect(ended(result)).rejects.toThrow('no longer retained');
    });
  });

  describe('an abort', () => {
    const end = async (result: Promise<unknown>): Promise<void> => {
      result.catch(() => undefined);
      await jest.advanceTimersByTimeAsync(5);
      abort.abort(new Error('no longer needed'));
      expect(await timed(result)).toBeLessThanOrEqual(10);
      await expect(result).rejects.toThrow();
      expect(jest.getTimerCount()).toBe(0);
    };
    beforeEach(() => {
      commitAll(chainOf(11, 12));
      node.losesPosts = Infinity;
    });

    it.each(['latestBlock', 'postUnsafePayload'] as const)('ends a call of %s', async (call) => {
      node.faults.set(call, 'hang');
      await end(bring());
    });

    it('ends the search for the common block', async () => {
      node = new FakeNode([...refs(1, 8), ...refs(9, 12, 'b')]);
      node.faults.set('blockByNumber', 'hang');
      await end(bring());
    });

    it('ends the wait between two looks', async () => {
      await end(bring());
      expect(node.postedNumbers).toEqual([11, 12]);
    });

    it('from before the start sends no query', async () => {
      let asked = 0;
      node.onLatestBlock = () => (asked += 1);
      abort.abort(new Error('no longer needed'));
      await expect(bring()).rejects.toThrow('no longer needed');
      expect(asked).toBe(0);
    });
  });
});

describe('bringToHead, for a standby', () => {
  it('posts no block without a committed child, as that may still be replaced', async () => {
    commitAll(chainOf(11, 14));
    await expect(ended(bring('parent-of-head'))).resolves.toEqual(refOf(13));
    expect(node.postedNumbers).toEqual([11, 12, 13]);
  });

  it('posts the parent of the head when another head replaces it on the way', async () => {
    commitAll(chainOf(11, 12));
    node.importMs = 30;
    const result = bring('parent-of-head');
    await jest.advanceTimersByTimeAsync(20);
    chain.apply(committed(refOf(12, 'b', hashOf(11)), 50), hashOf(12));
    await expect(ended(result)).resolves.toEqual(refOf(11));
    expect(node.postedNumbers).toEqual([11]);
  });

  it('posts nothing to one that has that block, even without the blocks above it', async () => {
    commitAll(chainOf(11, 11));
    await expect(bring('parent-of-head')).resolves.toEqual(refOf(10));
    node.gossip(refOf(11, 'b', hashOf(10)));
    await expect(bring('parent-of-head')).resolves.toEqual(refOf(11, 'b', hashOf(10)));
    expect(node.posted).toEqual([]);
  });

  it('posts nothing to one on another branch, which would drop it', async () => {
    node.gossip(refOf(10, 'b', hashOf(9)));
    commitAll(chainOf(11, 14));
    await expect(bring('parent-of-head')).rejects.toMatchObject({ code: 'other-branch' });
    expect(node.posted).toEqual([]);
  });
});
