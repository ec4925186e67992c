import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Prng } from '../../../../raft/testing/prng.js';
import { BlockStore, type Block } from '../chain/block-store.js';
import { Derivation } from '../chain/derivation.js';
import { L1Chain } from '../chain/l1-chain.js';
import { EPOCH_MS, VirtualClock } from '../time/virtual-clock.js';
import { ExecutionClient } from './execution-client.js';
import { OpNode } from './op-node.js';
import { Caller } from './rpc-fault.js';

describe('op-node', () => {
  let clock: VirtualClock;
  let giveBack: () => void;
  let blocks: BlockStore;
  let chain: Block[];
  let l1: L1Chain;
  let derivation: Derivation;
  let overruled: number;
  let execution: ExecutionClient;
  let node: OpNode;
  let published: Block[];
  let sealed: Block[];
  /** The conductor's answers to commits, in order; after that, yes. */
  let answers: ('no' | 'silence' | 'late')[];
  let committed: Block[];
  let leads: boolean;
  let sealsAnew: boolean;

  beforeEach(async () => {
    clock = new VirtualClock(new Prng(1));
    giveBack = clock.install();
    blocks = new BlockStore();
    l1 = new L1Chain(10);
    chain = [];
    for (let number = 0; number <= 4; number++) chain.push(seal(chain.at(-1) ?? null, number - 4));
    derivation = new Derivation(blocks, chain[0] as Block);
    overruled = 0;
    execution = new ExecutionClient(chain, { blocks, importMs: () => 5, sleep: (ms) => clock.sleep(ms) });
    [published, sealed, answers, committed] = [[], [], [], []];
    [leads, sealsAnew] = [true, false];
    node = start();
    await clock.runUntil(10);
  });

  afterEach(() => {
    node.kill();
    giveBack();
  });

  /** A block of this age in seconds, which may be negative. */
  function seal(parent: Block | null, seconds: number, builder = 'n1', l1Origin = l1.view.head): Block {
    return blocks.seal(parent, {
      timestamp: EPOCH_MS / 1000 + seconds,
      l1Origin,
      builder,
      transactionBytes: 0,
    });
  }

  function start(activeAtStart = false): OpNode {
    return new OpNode(
      'n1',
      {
        ...{ clock, blocks, execution },
        conductor: {
          leader: async () => leads,
          commit: async (block) => {
            committed.push(block);
            const answer = answers.shift();
            if (answer === 'no') throw new Error('not the leader');
            if (answer === 'silence') await new Promise(() => undefined);
            if (answer === 'late') await clock.sleep(300);
          },
        },
        blockTimeS: 1,
        l1Confirmations: 0,
        l1: () => l1.view,
        safeHead: () => derivation.safeHead(l1.view),
        overruled: () => (overruled += 1),
        sealsAnew: () => sealsAnew,
        transactionBytes: () => 0,
        noticeMs: () => 100,
        requestRange: (above, below, deliver) => {
          for (let number = above.number + 1; number < below.number; number++) {
            deliver(blocks.ancestorAt(below, number) as Block);
          }
        },
        publish: (block) => published.push(block),
        sealed: (block) => sealed.push(block),
        sequencerStarted: () => undefined,
        sequencerStopped: () => undefined,
        reset: () => undefined,
      },
      activeAtStart,
    );
  }

  const head = (): Block => chain.at(-1) as Block;
  const pass = (ms: number): Promise<void> => clock.runUntil(clock.nowMs + ms);

  /** The result of a call after this time; undefined if there is no answer. */
  async function outcome<T>(call: Promise<T>, withinMs = 100): Promise<T | string | undefined> {
    let result: T | string | undefined;
    call.then(
      (value) => (result = value),
      (error: Error) => (result = error.message),
    );
    await pass(withinMs);
    return result;
  }

  async function sequencing(): Promise<void> {
    await outcome(node.startSequencer(head().hash, new Caller()));
    await node.wakeUp();
  }

  describe('told to start its sequencer', () => {
    it('asks its conductor first', async () => {
      leads = false;
      expect(await outcome(node.startSequencer(head().hash, new Caller()))).toBe(
        'sequencer is not the leader, aborting',
      );
      expect(node.sequencerActive()).toBe(false);
    });

    it('refuses any block but its head', async () => {
      const parent = chain[3] as Block;
      expect(await outcome(node.startSequencer(parent.hash, new Caller()))).toBe(
        `block hash does not match: head ${head().hash}:4, received ${parent.hash}`,
      );
    });

    it('says that it already runs', async () => {
      await sequencing();
      expect(await outcome(node.startSequencer(head().hash, new Caller()))).toBe('sequencer already running');
    });

    it('begins its first block when its event loop turns, and not before', async () => {
      await outcome(node.startSequencer(head().hash, new Caller()));
      await pass(1500);
      expect(sealed).toEqual([]);
      await node.wakeUp();
      await pass(100);
      expect(sealed).toHaveLength(1);
    });
  });

  describe('while it sequences', () => {
    it('publishes each block once its conductor has committed it, one for each block time', async () => {
      await sequencing();
      await pass(5000);
      expect(published.length).toBeGreaterThanOrEqual(5);
      expect(published.map(({ number }) => number)).toEqual(published.map((_, place) => 5 + place));
      expect(published).toEqual(committed);
      expect(node.unsafeHead).toBe(published.at(-1));
    });

    it('asks twice, and then backs off for a second and commits the same block again', async () => {
      answers = ['no', 'no'];
      await sequencing();
      await pass(1000);
      expect(committed).toHaveLength(2);
      expect(published).toEqual([]);
      await pass(1000);
      expect(new Set(committed.slice(0, 3))).toEqual(new Set([committed[0]]));
      expect(published[0]).toBe(committed[0]);
    });

    it('treats no answer within a second as a no', async () => {
      answers = ['silence'];
      await sequencing();
      await pass(1500);
      expect(committed).toHaveLength(1);
      await pass(1600);
      expect(committed[1]).toBe(committed[0]);
    });

    it('commits another block with rollup-boost', async () => {
      answers = ['no', 'no'];
      sealsAnew = true;
      await sequencing();
      await pass(2500);
      expect(committed[2]?.number).toBe(5);
      expect(committed[2]?.hash).not.toBe(committed[0]?.hash);
    });

    it('drops its own block when another one of its height arrives', async () => {
      answers = Array<'no'>(4).fill('no');
      await sequencing();
      await pass(1000);
      const other = seal(head(), 1, 'n2');
      node.receive(other);
      await pass(2000);
      expect(node.unsafeHead).not.toBe(committed[0]);
      expect(blocks.isOn(node.unsafeHead as Block, other)).toBe(true);
    });

    it("continues from its execution client's head after a restart", async () => {
      await sequencing();
      await pass(3000);
      const before = node.unsafeHead as Block;
      execution.kill(2);
      execution.start();
      await pass(5000);
      const fork = blocks.ancestorAt(published.at(-1) as Block, before.number);
      expect(fork?.hash).not.toBe(before.hash);
    });
  });

  describe('told to stop', () => {
    it('is not disturbed in a commit', async () => {
      answers = ['silence'];
      await sequencing();
      await pass(970);
      expect(sealed).toHaveLength(1);
      const stopped = outcome(node.stopSequencer(new Caller()), 300);
      expect(await stopped).toBeUndefined();
    });

    it('stops at once when it no longer leads', async () => {
      await sequencing();
      leads = false;
      expect(await outcome(node.stopSequencer(new Caller()))).toBe(node.unsafeHead?.hash);
      expect(node.sequencerActive()).toBe(false);
    });

    it('forgets the block that it was building', async () => {
      answers = ['no', 'no'];
      await sequencing();
      await pass(1000);
      leads = false;
      await outcome(node.stopSequencer(new Caller()));
      await pass(5000);
      expect(committed).toHaveLength(2);
    });

    it('does nothing for a caller that is gone', async () => {
      answers = ['silence'];
      await sequencing();
      await pass(970);
      const caller = new Caller();
      const stopped = outcome(node.stopSequencer(caller), 2000);
      caller.hangUp();
      await stopped;
      expect(node.sequencerActive()).toBe(true);
    });

    it('says that it is not running', async () => {
      expect(await outcome(node.stopSequencer(new Caller()))).toBe('sequencer not running');
    });
  });

  describe('as a follower', () => {
    it('ignores a second block of a height', async () => {
      node.receive(seal(chain[3] as Block, 0, 'n2'));
      await pass(100);
      expect(node.unsafeHead).toBe(head());
    });

    it('asks for the blocks between its head and a payload that waits', async () => {
      const fifth = seal(head(), 1, 'n2');
      const sixth = seal(fifth, 2, 'n2');
      node.receive(sixth);
      await pass(100);
      expect(node.unsafeHead).toBe(head());
      await pass(4100);
      expect(node.unsafeHead).toBe(sixth);
    });

    it('adopts the blocks of L1 where it has none', async () => {
      const fifth = seal(head(), 1, 'n2');
      l1.grow([...chain.slice(1), fifth].map(({ hash }) => hash));
      node.l1Changed(false);
      await pass(100);
      expect(node.unsafeHead).toBe(fifth);
      expect(overruled).toBe(0);
    });

    it('leaves a branch that is not on L1', async () => {
      const rival = seal(chain[2] as Block, 0, 'n2');
      l1.grow([...chain.slice(1, 3), rival].map(({ hash }) => hash));
      node.l1Changed(false);
      await pass(100);
      expect(node.unsafeHead).toBe(rival);
      expect(execution.storedHead).toBe(rival);
      expect(overruled).toBe(1);
    });

    it('keeps what is above the blocks of L1', async () => {
      l1.grow(chain.slice(1, 3).map(({ hash }) => hash));
      node.l1Changed(false);
      await pass(100);
      expect(node.unsafeHead).toBe(head());
      expect(overruled).toBe(0);
    });

    it('walks back when L1 has replaced what its blocks came from', async () => {
      l1.grow();
      const fresh = seal(head(), 1, 'n2');
      node.receive(fresh);
      await pass(100);
      expect(node.unsafeHead).toBe(fresh);
      l1.reorg(1);
      node.l1Changed(true);
      await pass(1000);
      expect(node.unsafeHead).toBe(head());
      // An ancestor of its head does not move the client, until another block comes on top of that ancestor.
      expect(execution.storedHead).toBe(fresh);
      const next = seal(head(), 0, 'n2');
      node.receive(next);
      await pass(100);
      expect([node.unsafeHead, execution.storedHead]).toEqual([next, next]);
    });
  });

  it('publishes nothing once it is dead, even if its conductor has said yes', async () => {
    answers = ['late'];
    await sequencing();
    await pass(1100);
    expect(committed).toHaveLength(1);
    node.kill();
    await pass(2000);
    expect(published).toEqual([]);
  });

  it('sequences by itself after a start without --sequencer.stopped', async () => {
    node.kill();
    node = start(true);
    await pass(3000);
    expect(node.sequencerActive()).toBe(true);
    expect(published.length).toBeGreaterThan(0);
  });
});
