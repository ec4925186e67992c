import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ChainState } from '../chain/chain-state.js';
import { chainOf, committed, hashOf, refOf } from '../testing/chain.js';
import { FakeNode, historyOf } from '../testing/fake-node.js';
import { useVirtualTime } from '../testing/virtual-time.js';
import { BranchWatch } from './branch-watch.js';

useVirtualTime();

const call = { timeoutMs: 1000 };

let chain: ChainState;
let node: FakeNode;
let watch: BranchWatch;

const commit = (from: number, to: number, branch = 'a'): void => {
  for (const block of chainOf(from, to, branch)) chain.apply(block, undefined);
};

/** Blocks of branch b on block `on` of branch a. */
const fork = (on: number, to: number) =>
  chainOf(on + 1, to, 'b').map(({ number }) =>
    refOf(number, 'b', number === on + 1 ? hashOf(on) : hashOf(number - 1, 'b')),
  );

/** A successful poll. */
async function poll(active = false, committed = chain.head): Promise<void> {
  jest.advanceTimersByTime(250);
  await watch.observe({ local: node.head, active, committed }, call);
}

async function polls(times: number, active = false): Promise<void> {
  for (let at = 0; at < times; at++) await poll(active);
}

beforeEach(() => {
  chain = new ChainState();
  commit(1, 20);
  node = new FakeNode(chainOf(1, 20).map(({ number }) => refOf(number)));
  watch = new BranchWatch({ execution: node.execution, history: historyOf(chain) });
});

describe('the branch of the local client', () => {
  it('is unknown before the first poll and without a committed block', async () => {
    expect(watch.branch).toBe('unknown');
    chain.startFrom(undefined);
    await polls(2);
    expect(watch.branch).toBe('unknown');
    expect(watch.offChain).toBeUndefined();
  });

  it('is read from the head alone at or below the committed head', async () => {
    for (const height of [20, 19, 5]) {
      node.rewind(height);
      await poll();
      expect(watch.branch).toBe('on');
    }
    expect(node.askedNumbers).toEqual([]);
  });

  it('above the committed head takes one query for each pair of heads', async () => {
    node.gossip(refOf(21), refOf(22));
    await polls(3);
    expect(watch.branch).toBe('on');
    expect(node.askedNumbers).toEqual([20]);
    commit(21, 21);
    await polls(2);
    expect(node.askedNumbers).toEqual([20, 21]);
  });

  it.each([
    ['below the committed head', 15, 17, 17],
    ['at its height', 15, 20, 20],
    ['above it', 15, 24, 20],
  ])('is another one after two polls that find another block %s', async (_, on, to, at) => {
    node.rewind(on, ...fork(on, to));
    await poll();
    expect(watch.branch).not.toBe('other');
    await poll();
    expect(watch.branch).toBe('other');
    expect(watch.otherBranch).toBe(`block ${at} is ${hashOf(at, 'b')}, committed is ${hashOf(at)}`);
    expect(watch.offChain).toContain(watch.otherBranch);
    node.rewind(on, ...chainOf(on + 1, 20).map(({ number }) => refOf(number)));
    await poll();
    expect(watch.branch).toBe('on');
    expect(watch.offChain).toBeUndefined();
  });

  it('is not another one after a single look', async () => {
    for (let at = 0; at < 5; at++) {
      node.rewind(19, ...fork(19, 20));
      await poll();
      node.rewind(19, refOf(20));
      await poll();
      expect(watch.branch).toBe('on');
    }
  });

  it('is unknown below the retained history', async () => {
    chain.dropUpTo(10);
    node.rewind(5);
    await polls(3);
    expect(watch.branch).toBe('unknown');
    expect(watch.offChain).toBeUndefined();
  });

  it('stays the same when the query gets no answer', async () => {
    await poll();
    node.gossip(refOf(21));
    node.faults.set('blockByNumber', new Error('refused'));
    await expect(poll()).rejects.toThrow('refused');
    expect(watch.branch).toBe('on');
  });
});

describe('an active sequencer', () => {
  it('is one block behind the committed head while it imports a block', async () => {
    await polls(2, true);
    watch.started(node.head);
    commit(21, 21);
    await polls(5, true);
    expect(watch.offChain).toBeUndefined();
  });

  it('is off the chain when it builds on a lower block at two polls', async () => {
    watch.started(node.head);
    commit(21, 21);
    node.rewind(18);
    await poll(true);
    expect(watch.offChain).toBeUndefined();
    await poll(true);
    expect(watch.offChain).toBe(
      `the sequencer builds on block 18 (${hashOf(18)}), the committed head is 21 (${hashOf(21)})`,
    );
  });

  it('is not blamed for blocks that were committed before its client answered', async () => {
    watch.started(node.head);
    const before = chain.head;
    commit(21, 24);
    for (let at = 0; at < 3; at++) await poll(true, before);
    expect(watch.offChain).toBeUndefined();
  });

  it('gets no time to catch up with blocks that were committed before its node led', async () => {
    await polls(2);
    node.rewind(19);
    watch.promoted();
    await poll(true);
    expect(watch.offChain).toBeUndefined();
    await poll(true);
    expect(watch.offChain).toContain('the sequencer builds on block 19');
  });

  it('on another branch is noticed at the first look of a leadership', async () => {
    await polls(2);
    node.rewind(15, ...fork(15, 18));
    expect(watch.compared).toBe(true);
    watch.promoted();
    expect(watch.compared).toBe(false);
    await poll(true);
    expect(watch.compared).toBe(true);
    expect(watch.offChain).toContain(hashOf(18, 'b'));
  });

  it('is not judged by a comparison that began before the node led or the sequencer was started', async () => {
    node.gossip(refOf(21));
    for (const change of [() => watch.promoted(), () => watch.started(refOf(21))]) {
      node.rewind(15, ...fork(15, 22));
      const observed = watch.observe({ local: node.head, active: true, committed: chain.head }, call);
      change();
      await observed;
      expect(watch.offChain).toBeUndefined();
    }
  });

  it('that was already running must not make a log’s first block, unless an operator started it later', async () => {
    chain.startFrom(undefined);
    watch.promoted();
    await poll(true);
    expect(watch.offChain).toContain('nothing is committed yet');
    await poll(false);
    expect(watch.offChain).toBeUndefined();
    await poll(true);
    expect(watch.offChain).toBeUndefined();
  });
});

describe('a refused commit', () => {
  const refused = () => watch.contradictedBy(refOf(17, 'b', hashOf(16)), call);

  it('of the local sequencer takes it off the chain at once, until its node stands on the chain without it', async () => {
    node.rewind(16);
    await refused();
    expect(watch.offChain).toBe(
      `the sequencer built block 17 (${hashOf(17, 'b')}), the committed head is 20 (${hashOf(20)})`,
    );
    await poll(true);
    expect(watch.offChain).toContain('the sequencer built block 17');
    await poll(false);
    expect(watch.offChain).toBeUndefined();
  });

  it('is forgotten with a start', async () => {
    await refused();
    watch.started(node.head);
    expect(watch.offChain).toBeUndefined();
  });

  it('of another sequencer changes nothing, because its parent is not on the local chain', async () => {
    await watch.contradictedBy(refOf(17, 'b'), call);
    await watch.contradictedBy(refOf(1_000_001), call);
    expect(watch.offChain).toBeUndefined();
  });

  it('is taken for the local one when the client does not say', async () => {
    node.faults.set('blockByNumber', new Error('refused'));
    await refused();
    expect(watch.offChain).toBeDefined();
  });
});

describe('a client that leaves the committed chain by itself', () => {
  beforeEach(() => polls(2));

  it.each([
    ['is shorter than before', () => node.rewind(15)],
    ['has another block there', () => node.rewind(15, ...fork(15, 20))],
    ['has another block there, above the committed head', () => node.rewind(15, ...fork(15, 30))],
    ['has another block there, further down', () => node.rewind(15, ...fork(15, 17))],
  ])('is noted where it left: %s', async (_, leave) => {
    expect(watch.leftAt).toBeNull();
    leave();
    await poll();
    expect(watch.leftAt).toEqual({ number: 15, hash: hashOf(15) });
    await polls(10);
    expect(watch.leftAt).toEqual({ number: 15, hash: hashOf(15) });
  });

  it('is back as soon as its chain goes through the committed head', async () => {
    node.rewind(15);
    await poll();
    node.gossip(refOf(16), refOf(17));
    await poll();
    expect(watch.leftAt).toEqual({ number: 17, hash: hashOf(17) });
    node.gossip(refOf(18), refOf(19), refOf(20));
    await poll();
    expect(watch.leftAt).toBeNull();
  });

  it('may leave further down later', async () => {
    node.rewind(15, ...fork(15, 18));
    await poll();
    node.rewind(12, ...fork(12, 14));
    await poll();
    expect(watch.leftAt).toEqual({ number: 12, hash: hashOf(12) });
  });

  it('is not one that was away meanwhile, because a power cut rewinds them all', async () => {
    watch.pollFailed();
    node.rewind(15);
    await polls(3);
    expect(watch.leftAt).toBeNull();
    node.rewind(13, ...fork(13, 25));
    watch.pollFailed();
    await polls(3);
    expect(watch.leftAt).toBeNull();
  });

  it('keeps the height at which it left when a crash takes more', async () => {
    node.rewind(15);
    await poll();
    watch.pollFailed();
    node.rewind(12);
    await polls(2);
    expect(watch.leftAt).toEqual({ number: 15, hash: hashOf(15) });
  });

  it('is not one that was not polled for seconds', async () => {
    jest.advanceTimersByTime(4000);
    node.rewind(15);
    await polls(2);
    expect(watch.leftAt).toBeNull();
  });

  it('is not one whose block was replaced by the log itself', async () => {
    chain.startFrom(chainOf(19, 19)[0]);
    chain.apply({ ...refOf(20, 'b', hashOf(19)), logIndex: 30, byteLength: 1 }, undefined);
    await polls(3);
    expect(watch.leftAt).toBeNull();
    expect(watch.branch).toBe('other');
  });

  it('is not one that is merely behind', async () => {
    commit(21, 30);
    await polls(3);
    expect(watch.leftAt).toBeNull();
  });

  it('below the retained history is noted at a block that it was seen to have', async () => {
    for (let height = 21; height <= 400; height++) {
      commit(height, height);
      node.gossip(refOf(height));
      await poll();
    }
    chain.dropUpTo(390);
    node.rewind(300, ...fork(300, 310));
    await poll();
    const { leftAt } = watch;
    expect(leftAt).toEqual({ number: leftAt!.number, hash: hashOf(leftAt!.number) });
    expect(leftAt!.number).toBeGreaterThan(0);
    expect(leftAt!.number).toBeLessThanOrEqual(300);
    await polls(3);
    expect(watch.leftAt).toEqual(leftAt);
  });

  it('has left nothing once the log has taken those blocks back, even if it is slow to follow', async () => {
    node.rewind(15);
    await poll();
    expect(watch.leftAt).not.toBeNull();
    const from = chain.head!;
    const to = { number: 15, hash: hashOf(15) };
    chain.applyReset({ from, to, evidence: 'operator', who: 'the test' }, 100);
    expect(watch.leftAt).toBeNull();
    // Other blocks replace them, and this client does not have those yet.
    for (const { number } of chainOf(16, 20)) {
      const parent = number === 16 ? hashOf(15) : hashOf(number - 1, 'b');
      chain.apply(committed(refOf(number, 'b', parent), 100 + number), undefined);
    }
    await poll();
    expect(watch.leftAt).toBeNull();
  });

  it('is counted each time it loses the same blocks after it is given them again', async () => {
    for (const times of [1, 2, 3]) {
      node.rewind(15);
      await poll();
      expect(watch.leftTimes).toBe(times);
      node.rewind(15, ...chainOf(16, 20).map(({ number }) => refOf(number)));
      await poll();
      expect(watch.leftAt).toBeNull();
    }
    node.rewind(17);
    await poll();
    expect(watch.leftTimes).toBe(1);
  });

  it('does not count blocks that it loses on the way back, and keeps its count', async () => {
    const blocks = chainOf(16, 20).map(({ number }) => refOf(number));
    for (const times of [1, 2, 3]) {
      node.rewind(15, ...blocks);
      await poll();
      node.rewind(15);
      await poll();
      expect(watch.leftTimes).toBe(times);
      for (const posted of [0, 1]) {
        node.rewind(15, ...blocks.slice(0, 3));
        await poll();
        node.rewind(15, ...blocks.slice(0, posted));
        await poll();
        expect(watch.leftTimes).toBe(times);
      }
    }
  });

  it('is counted from zero once the log has taken the blocks back', async () => {
    node.rewind(15);
    await poll();
    chain.applyReset(
      { from: chain.head!, to: { number: 15, hash: hashOf(15) }, evidence: 'operator', who: 'the test' },
      100,
    );
    const blocks = chainOf(16, 18).map(({ number }) =>
      refOf(number, 'b', number === 16 ? hashOf(15) : hashOf(number - 1, 'b')),
    );
    for (const block of blocks) chain.apply(committed(block, 100 + block.number), undefined);
    for (const times of [1, 2]) {
      node.rewind(15, ...blocks);
      await poll();
      node.rewind(15);
      await poll();
      expect(watch.leftTimes).toBe(times);
    }
  });

  it('is left alone at first, then treated like any other that is behind', async () => {
    node.rewind(15);
    await poll();
    expect(watch.isStray(performance.now())).toBe(true);
    expect(watch.isStray(performance.now() + 31_000)).toBe(false);
    node.rewind(15, ...fork(15, 16));
    await polls(2);
    expect(watch.isStray(performance.now() + 31_000)).toBe(true);
  });
});
