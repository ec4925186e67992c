import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import { refOf } from '../testing/chain.js';
import { Question } from '../testing/question.js';
import { LocalNode } from './local-node.js';

const POLL_MS = 250;

let active: Question<boolean>;
let enabled: Question<boolean>;
let latest: Question<BlockRef>;
let byNumber: Question<BlockRef | null>;
let history: { head: BlockRef | undefined; hashAt(number: number): string | undefined };
const syncStatus = async () => ({ unsafeL2: { number: 0 }, l1Blocks: [] });
let polls: number;
let node: LocalNode;

function build(): LocalNode {
  const built = new LocalNode({
    opNode: {
      sequencerActive: active.ask,
      conductorEnabled: enabled.ask,
      syncStatus,
      onDisconnect: () => undefined,
    },
    execution: {
      latestBlock: latest.ask,
      blockByNumber: (_, options) => byNumber.ask(options),
      onDisconnect: () => undefined,
    },
    isBlockOverdue: () => false,
    history,
    pollIntervalMs: POLL_MS,
    timeoutMs: 1000,
  });
  built.on('polled', () => (polls += 1));
  return built;
}

beforeEach(() => {
  jest.useFakeTimers();
  active = new Question();
  enabled = new Question();
  enabled.now = true;
  latest = new Question();
  byNumber = new Question();
  history = { head: undefined, hashAt: () => undefined };
  active.now = false;
  latest.now = refOf(10);
  polls = 0;
  node = build();
});
afterEach(async () => {
  await node.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const settle = (): Promise<void> => jest.advanceTimersByTimeAsync(0);
const nextPoll = (): Promise<void> => jest.advanceTimersByTimeAsync(POLL_MS);
const refused = new Error('connection refused');

describe('LocalNode', () => {
  it('knows nothing before the first answer', () => {
    expect(node.state).toMatchObject({ head: null, sequencerActive: null, reachable: false });
    expect(node.state.reason).not.toBe('');
  });

  it('polls at once and then once per interval, with deadline and signal, and reports each time', async () => {
    node.start();
    await settle();
    expect(node.state).toMatchObject({ head: refOf(10), sequencerActive: false, reachable: true });
    expect(polls).toBe(1);
    await nextPoll();
    await nextPoll();
    expect(polls).toBe(3);
    expect(active.calls).toHaveLength(3);
    expect(latest.calls[0]?.timeoutMs).toBe(1000);
    expect(latest.calls[0]?.signal).toBeInstanceOf(AbortSignal);
  });

  it('never has two polls under way', async () => {
    active.now = undefined;
    node.start();
    await jest.advanceTimersByTimeAsync(10 * POLL_MS);
    expect(active.calls).toHaveLength(1);
    active.last.resolve(true);
    await settle();
    await nextPoll();
    expect(active.calls).toHaveLength(2);
  });

  it('notes when the head went up, not when it stays or goes down', async () => {
    node.start();
    await settle();
    const { headAdvancedAtMs } = node.state;
    expect(headAdvancedAtMs).toBe(performance.now());
    await nextPoll();
    latest.now = refOf(9);
    await nextPoll();
    expect(node.state).toMatchObject({ head: refOf(9), headAdvancedAtMs });
    latest.now = refOf(10);
    await nextPoll();
    expect(node.state.headAdvancedAtMs).toBe(performance.now());
  });

  describe.each([
    ['op-node', () => (active.now = refused), () => (active.now = true)],
    ['execution client', () => (latest.now = refused), () => (latest.now = refOf(11))],
  ])('when the %s does not answer', (who, fail, recover) => {
    beforeEach(async () => {
      node.start();
      await settle();
      fail();
    });

    it('treats one lost answer as an accident', async () => {
      await nextPoll();
      expect(node.state).toMatchObject({ reachable: true, sequencerActive: false, head: refOf(10) });
    });

    it('treats two in a row as a fact, and names the client and the reason', async () => {
      await nextPoll();
      await nextPoll();
      expect(node.state).toMatchObject({ reachable: false, reason: `${who}: connection refused` });
      expect(polls).toBe(3);
    });

    it('does not add up strikes across an answer', async () => {
      await nextPoll();
      recover();
      await nextPoll();
      fail();
      await nextPoll();
      expect(node.state.reachable).toBe(true);
    });

    it('recovers with the first answer', async () => {
      await nextPoll();
      await nextPoll();
      recover();
      await nextPoll();
      expect(node.state).toMatchObject({ reachable: true });
      expect(node.state.sequencerActive).not.toBeNull();
    });
  });

  it('counts strikes of op-node and execution client together, because the node as a whole must answer', async () => {
    node.start();
    await settle();
    active.now = refused;
    await nextPoll();
    active.now = false;
    latest.now = refused;
    await nextPoll();
    expect(node.state).toMatchObject({ reachable: false, sequencerActive: false });
  });

  it('does not know whether a lost op-node sequences, but keeps the answer of the other client', async () => {
    active.now = true;
    node.start();
    await settle();
    active.now = refused;
    latest.now = refOf(12);
    await nextPoll();
    expect(node.state.sequencerActive).toBe(true);
    await nextPoll();
    expect(node.state).toMatchObject({ sequencerActive: null, head: refOf(12) });
  });

  describe('the check whether the client is on the committed chain', () => {
    beforeEach(() => {
      history = { head: refOf(9), hashAt: (number) => (number === 9 ? refOf(9).hash : undefined) };
      node = build();
    });

    it('is part of the poll, with its deadline', async () => {
      byNumber.now = refOf(9);
      node.start();
      await settle();
      expect(node.branch.branch).toBe('on');
      expect(byNumber.calls[0]?.timeoutMs).toBe(1000);
    });

    it('compares a sequencer with the head committed when the poll began, not with later blocks', async () => {
      active.now = true;
      latest.now = undefined;
      history = { head: refOf(10), hashAt: (number) => refOf(number).hash };
      node = build();
      node.start();
      for (let polled = 0; polled < 3; polled++) {
        history.head = refOf(14);
        latest.last.resolve(refOf(10));
        await settle();
        history.head = refOf(10);
        await nextPoll();
      }
      expect(polls).toBe(3);
      expect(node.branch.offChain).toBeUndefined();
    });

    it('fails the poll when it gets no answer', async () => {
      byNumber.now = refused;
      node.start();
      await settle();
      await nextPoll();
      expect(node.state).toMatchObject({
        reachable: false,
        reason: 'execution client: connection refused',
        sequencerActive: false,
      });
    });

    it('ends with a stop, silently', async () => {
      node.start();
      await settle();
      expect(polls).toBe(0);
      await node.stop();
      expect(polls).toBe(0);
    });
  });

  describe('whether op-node asks its conductor', () => {
    it('is asked again when it did not answer, until it says so', async () => {
      node.start();
      await settle();
      await nextPoll();
      expect(enabled.calls).toEqual([]);
      active.now = refused;
      await nextPoll();
      active.now = false;
      enabled.now = refused;
      await nextPoll();
      expect(node.state).toMatchObject({ conductorEnabled: true, reachable: false });
      enabled.now = false;
      await nextPoll();
      await nextPoll();
      expect(node.state).toMatchObject({ conductorEnabled: false, reachable: true });
      enabled.now = true;
      await nextPoll();
      await nextPoll();
      expect(node.state.conductorEnabled).toBe(true);
      expect(enabled.calls).toHaveLength(4);
    });
  });

  describe('a poll that began before', () => {
    beforeEach(async () => {
      node.start();
      await settle();
      active.now = undefined;
      await nextPoll();
    });

    it.each([true, false])('a start or stop (%s) says nothing about the time after', async (now) => {
      node.noteSequencer(now);
      active.last.resolve(!now);
      await settle();
      expect(node.state.sequencerActive).toBe(now);

      active.now = !now;
      await nextPoll();
      expect(node.state.sequencerActive).toBe(!now);
    });

    it('a start says nothing about it by its failure either', async () => {
      active.last.reject(refused);
      await settle();
      await nextPoll();
      node.noteSequencer(true);
      active.last.reject(refused);
      await settle();
      expect(node.state).toMatchObject({ sequencerActive: true, reachable: false });
    });

    it('a head was brought in does not take it back', async () => {
      node.noteHead(refOf(15));
      active.last.resolve(false);
      await settle();
      expect(node.state.head).toEqual(refOf(15));

      active.now = false;
      latest.now = refOf(16);
      await nextPoll();
      expect(node.state.head).toEqual(refOf(16));
    });
  });

  describe('stop', () => {
    it('ends a poll under way, silently', async () => {
      node.start();
      await settle();
      active.now = undefined;
      await nextPoll();
      expect(polls).toBe(1);
      await node.stop();
      expect(active.calls.at(-1)?.signal?.aborted).toBe(true);
      expect(polls).toBe(1);
      expect(node.state).toMatchObject({ reachable: true, sequencerActive: false });
    });

    it('waits for clients that need a moment to end', async () => {
      let end = (_: Error): void => undefined;
      active.ask = () => new Promise((_, reject) => (end = reject));
      node = build();
      node.start();
      await settle();
      let over = false;
      const stopped = node.stop().then(() => (over = true));
      await settle();
      expect(over).toBe(false);
      end(new Error('aborted'));
      await stopped;
    });

    it('sends no more queries', async () => {
      node.start();
      await settle();
      await node.stop();
      expect(jest.getTimerCount()).toBe(0);
      await jest.advanceTimersByTimeAsync(10 * POLL_MS);
      expect(active.calls).toHaveLength(1);
    });

    it('works twice, and before a start', async () => {
      await node.stop();
      await node.stop();
    });
  });
});
