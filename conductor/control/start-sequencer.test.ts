import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Outcome } from '../../raft/index.js';
import { ClientError } from '../../rpc/clients/client-error.js';
import { StartRefusedError, type StartRefusal } from '../../rpc/clients/start-refusal.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import { ChainState } from '../chain/chain-state.js';
import { chainOf, hashOf, refOf, silent } from '../testing/chain.js';
import { FakeNode, hashMismatch, historyOf } from '../testing/fake-node.js';
import { virtualSleep } from '../testing/virtual-sleep.js';
import { useVirtualTime } from '../testing/virtual-time.js';
import { startSequencer, type Started } from './start-sequencer.js';

useVirtualTime();

const DEADLINE_MS = 3000;
const done: Outcome<object> = { outcome: 'done', index: 1, term: 1 };

let chain: ChainState;
let node: FakeNode;
let abort: AbortController;
let barriers: number;
let callTimeoutMs: number;
let barrier: () => Promise<Outcome<object>>;

function start(): Promise<BlockRef> {
  const result = started().then(({ head }) => head);
  result.catch(() => undefined);
  return result;
}

function started(): Promise<Started> {
  const { opNode, execution } = node;
  const readBarrier = (): Promise<Outcome<object>> => {
    barriers += 1;
    return barrier();
  };
  const result = startSequencer(
    { opNode, execution, history: historyOf(chain), readBarrier, logger: silent, sleep: virtualSleep },
    { signal: abort.signal, deadlineMs: DEADLINE_MS, callTimeoutMs },
  );
  result.catch(() => undefined);
  return result;
}

/** Blocks that the node has, up to this height. */
function nodeAt(height: number): FakeNode {
  return new FakeNode(chainOf(1, height).map(({ number }) => refOf(number)));
}

/** This many of the next starts are refused. */
function refuse(times: number, refusal: () => Error): void {
  const { startSequencer: real } = node.opNode;
  node.opNode.startSequencer = (head, options) => {
    if (times-- > 0) node.faults.set('startSequencer', refusal());
    return real(head, options);
  };
}

const refusalOf = (refusal: StartRefusal): Error => new StartRefusedError(refusal, new Error(refusal.reason));

beforeEach(() => {
  chain = new ChainState();
  for (const block of chainOf(1, 10)) chain.apply(block, undefined);
  node = nodeAt(10);
  abort = new AbortController();
  barriers = 0;
  callTimeoutMs = 1000;
  barrier = async () => done;
});
afterEach(() => {
  abort.abort();
  jest.clearAllTimers();
});

describe('startSequencer', () => {
  it('Scenario3 of op-conductor: the hashes are equal: starts on that hash', async () => {
    expect(await started()).toEqual({ head: refOf(10), wasStopped: true });
    expect(node.starts).toEqual([hashOf(10)]);
    expect(node).toMatchObject({ active: true, posted: [] });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('Scenario4 of op-conductor: one block behind: no start when the post fails, post and start in the next run', async () => {
    node = nodeAt(9);
    node.faults.set('postUnsafePayload', new Error('refused'));
    await expect(start()).rejects.toThrow('refused');
    expect(node).toMatchObject({ active: false, starts: [] });

    const result = start();
    await jest.advanceTimersByTimeAsync(10);
    await expect(result).resolves.toEqual(refOf(10));
    expect(node.postedNumbers).toEqual([10]);
    expect(node.starts).toEqual([hashOf(10)]);
  });

  it('five blocks behind, as a geth that was killed: posts them all, then starts', async () => {
    node = nodeAt(5);
    node.importMs = 20;
    const result = start();
    await jest.advanceTimersByTimeAsync(200);
    await expect(result).resolves.toEqual(refOf(10));
    expect(node.postedNumbers).toEqual([6, 7, 8, 9, 10]);
    expect(node.starts).toEqual([hashOf(10)]);
  });

  it('Scenario1Err of op-conductor: the committed head cannot be read: nothing is touched', async () => {
    barrier = async () => ({ outcome: 'unknown', reason: 'no quorum' });
    node = nodeAt(9);
    await expect(start()).rejects.toThrow('leadership lost before the start: no quorum');
    expect(node).toMatchObject({ active: false, posted: [], starts: [] });
  });

  it('reads the committed head only after the barrier', async () => {
    barrier = async () => {
      for (const block of chainOf(11, 12)) chain.apply(block, undefined);
      return done;
    };
    const result = start();
    await jest.advanceTimersByTimeAsync(50);
    await expect(result).resolves.toEqual(refOf(12));
    expect(node.starts).toEqual([hashOf(12)]);
  });

  it('an empty log: starts from the local head (op-conductor: `no unsafe head`, issue #22949)', async () => {
    chain = new ChainState();
    await expect(start()).resolves.toEqual(refOf(10));
    expect(node.starts).toEqual([hashOf(10)]);
  });

  it('a node ahead of the log on the same chain: starts from its head', async () => {
    node = nodeAt(12);
    await expect(start()).resolves.toEqual(refOf(12));
    expect(node.starts).toEqual([hashOf(12)]);
  });

  describe('the first block of a started sequencer waits for an event in op-node', () => {
    it('so op-node is woken, on its head', async () => {
      node = nodeAt(9);
      const result = start();
      await jest.advanceTimersByTimeAsync(10);
      await result;
      expect(node.wakeUps).toEqual([10]);
    });

    it('but not one that is already running or refuses', async () => {
      refuse(1, () => refusalOf({ reason: 'not-leader' }));
      await expect(start()).rejects.toThrow();
      node.active = true;
      await started();
      expect(node.wakeUps).toEqual([]);
    });

    it.each<[string, Error | 'hang']>([
      ['refuses', new Error('no')],
      ['hangs', 'hang'],
    ])('and is started also when it %s to be woken', async (_, fault) => {
      node.faults.set('wakeUp', fault);
      await expect(started()).resolves.toEqual({ head: refOf(10), wasStopped: true });
      // It does not wait forever for an answer.
      await jest.advanceTimersByTimeAsync(1000);
      expect(jest.getTimerCount()).toBe(0);
    });
  });

  it('treats a sequencer that is already running as started', async () => {
    node.active = true;
    expect(await started()).toEqual({ head: refOf(10), wasStopped: false });
  });

  it('does not start a node that cannot be brought to the head', async () => {
    chain.dropUpTo(8);
    node = nodeAt(5);
    const result = start();
    await jest.advanceTimersByTimeAsync(DEADLINE_MS + 50);
    await expect(result).rejects.toMatchObject({ name: 'BehindError', code: 'history-too-short' });
    expect(node).toMatchObject({ active: false, starts: [] });
  });

  describe('when op-node is not where its execution client is', () => {
    it.each<[string, () => Error]>([
      ['another head', () => hashMismatch(refOf(9), hashOf(10))],
      ['no head yet', () => refusalOf({ reason: 'no-prestate' })],
    ])('looks again in a moment (%s, issue #20204)', async (_, refusal) => {
      refuse(3, refusal);
      const result = start();
      await jest.advanceTimersByTimeAsync(100);
      await expect(result).resolves.toEqual(refOf(10));
      expect(node.starts).toHaveLength(4);
      expect(barriers).toBe(4);
    });

    it('starts on the head that gossip has brought meanwhile', async () => {
      refuse(1, () => {
        node.gossip(refOf(11));
        return hashMismatch(refOf(11), hashOf(10));
      });
      const result = start();
      await jest.advanceTimersByTimeAsync(100);
      await expect(result).resolves.toEqual(refOf(11));
      expect(node.starts).toEqual([hashOf(10), hashOf(11)]);
    });

    it('does not keep looking forever', async () => {
      refuse(Infinity, () => hashMismatch(refOf(9), hashOf(10)));
      const result = start();
      await jest.advanceTimersByTimeAsync(2 * DEADLINE_MS + 50);
      await expect(result).rejects.toMatchObject({ name: 'StartRefusedError', code: 'hash-mismatch' });
      expect(jest.getTimerCount()).toBe(0);
    });

    it('stops looking when leadership is lost', async () => {
      refuse(Infinity, () => hashMismatch(refOf(9), hashOf(10)));
      const result = start();
      await jest.advanceTimersByTimeAsync(50);
      barrier = async () => ({ outcome: 'rejected', reason: 'not-leader' });
      await jest.advanceTimersByTimeAsync(10);
      await expect(result).rejects.toThrow('leadership lost before the start: not-leader');
    });
  });

  it.each<StartRefusal>([
    { reason: 'not-leader' },
    { reason: 'leader-check-failed', detail: 'timeout' },
    { reason: 'not-enabled' },
  ])('does not insist when op-node says $reason', async (refusal) => {
    refuse(1, () => refusalOf(refusal));
    await expect(start()).rejects.toMatchObject({ code: refusal.reason });
    expect(node.starts).toHaveLength(1);
  });

  describe('a start that is not answered', () => {
    const lost = (): Error =>
      new ClientError({ code: 'unreachable' }, 'admin_startSequencer', 'http://op-node', 'connection reset');

    it('is a start after two seconds, when the sequencer runs', async () => {
      node.opNode.sequencerActive = async () => true;
      node.faults.set('startSequencer', 'hang');
      callTimeoutMs = 10_000;
      const result = started();
      await jest.advanceTimersByTimeAsync(1900);
      expect(node.wakeUps).toEqual([]);
      await jest.advanceTimersByTimeAsync(200);
      await expect(result).resolves.toEqual({ head: refOf(10), wasStopped: true });
      expect(node.wakeUps).toEqual([10]);
    });

    it.each<[string, (() => Promise<boolean>) | undefined]>([
      ['does not run', undefined],
      ['is not known to run', () => Promise.reject(new Error('no answer'))],
    ])('has failed when the sequencer %s', async (_, sequencerActive) => {
      if (sequencerActive) node.opNode.sequencerActive = sequencerActive;
      refuse(1, lost);
      await expect(start()).rejects.toThrow('connection reset');
      expect(node.starts).toHaveLength(1);
    });

    it('is a start when the connection breaks, but not when op-node refuses', async () => {
      node.opNode.sequencerActive = async () => true;
      refuse(1, lost);
      await expect(start()).resolves.toEqual(refOf(10));
      refuse(1, () => refusalOf({ reason: 'not-leader' }));
      await expect(start()).rejects.toThrow('not-leader');
    });
  });

  describe('an abort', () => {
    const end = async (result: Promise<unknown>): Promise<void> => {
      await jest.advanceTimersByTimeAsync(5);
      abort.abort(new Error('no longer needed'));
      await jest.advanceTimersByTimeAsync(0);
      expect(jest.getTimerCount()).toBe(0);
      await expect(result).rejects.toThrow();
      expect(node.active).toBe(false);
    };

    it('ends the start itself', async () => {
      node.faults.set('startSequencer', 'hang');
      await end(start());
    });

    it('ends the pause between two tries', async () => {
      refuse(Infinity, () => hashMismatch(refOf(9), hashOf(10)));
      await end(start());
      expect(node.starts).toHaveLength(1);
    });

    it('ends the way to the head', async () => {
      node = nodeAt(9);
      node.losesPosts = Infinity;
      await end(start());
      expect(node.starts).toEqual([]);
    });

    it('ends it before the start when it comes during the barrier', async () => {
      let answer = (_: Outcome<object>): void => undefined;
      barrier = () => new Promise((resolve) => (answer = resolve));
      const result = start();
      abort.abort(new Error('no longer needed'));
      answer(done);
      await expect(result).rejects.toThrow('no longer needed');
      expect(node.starts).toEqual([]);
    });
  });
});
