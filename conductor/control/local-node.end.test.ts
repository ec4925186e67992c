import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ClientError } from '../../rpc/clients/client-error.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import { refOf } from '../testing/chain.js';
import { Question } from '../testing/question.js';
import { LocalNode } from './local-node.js';

const POLL_MS = 250;

let active: Question<boolean>;
let latest: Question<BlockRef>;
let isBlockOverdue: boolean;
let disconnect: () => void;
let polls: number;
let node: LocalNode;

beforeEach(() => {
  jest.useFakeTimers();
  active = new Question();
  active.now = false;
  latest = new Question();
  latest.now = refOf(10);
  isBlockOverdue = false;
  polls = 0;
  node = new LocalNode({
    opNode: {
      sequencerActive: active.ask,
      conductorEnabled: async () => true,
      syncStatus: async () => ({ unsafeL2: { number: 0 }, l1Blocks: [] }),
      onDisconnect: (listener) => void (disconnect = listener),
    },
    execution: {
      latestBlock: latest.ask,
      blockByNumber: async () => null,
      onDisconnect: () => undefined,
    },
    isBlockOverdue: () => isBlockOverdue,
    history: { head: undefined, hashAt: () => undefined },
    pollIntervalMs: POLL_MS,
    timeoutMs: 1000,
  });
  node.on('polled', () => (polls += 1));
});
afterEach(async () => {
  await node.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const settle = (): Promise<void> => jest.advanceTimersByTimeAsync(0);
const nextPoll = (): Promise<void> => jest.advanceTimersByTimeAsync(POLL_MS);

describe('a process that has ended', () => {
  const gone = new ClientError({ code: 'unreachable', refused: true }, 'm', 'http://op-node', 'refused');

  it('is queried at once when its connection breaks', async () => {
    node.start();
    await settle();
    disconnect();
    await settle();
    expect(active.calls).toHaveLength(2);
  });

  it('is queried again when its connection breaks during a query', async () => {
    node.start();
    await settle();
    active.now = undefined;
    await nextPoll();
    disconnect();
    active.last.resolve(false);
    await settle();
    expect(active.calls).toHaveLength(3);
  });

  it.each([
    ['op-node', () => (active.now = gone)],
    ['the execution client', () => (latest.now = gone)],
  ])('is known to be gone by one refused connection (%s)', async (_, die) => {
    node.start();
    await settle();
    die();
    disconnect();
    await settle();
    expect(node.state.reachable).toBe(false);
  });

  it('takes two polls when it was not seen before, because it may be about to start', async () => {
    active.now = gone;
    node.start();
    await settle();
    node.noteSequencer(true);
    expect(node.state.sequencerActive).toBe(true);
    await nextPoll();
    expect(node.state.sequencerActive).toBeNull();
  });

  it('queries nothing after the end', async () => {
    node.start();
    await settle();
    await node.stop();
    disconnect();
    await settle();
    expect(active.calls).toHaveLength(1);
  });
});

describe('an op-node that does not answer', () => {
  /** It sequences, and then hangs in the next poll. */
  async function hang(): Promise<void> {
    active.now = true;
    node.start();
    await settle();
    active.now = undefined;
    await nextPoll();
  }

  it('hangs for certain when its block is overdue', async () => {
    await hang();
    isBlockOverdue = true;
    await jest.advanceTimersByTimeAsync(250);
    expect(node.state.reachable).toBe(true);
    polls = 0;
    await jest.advanceTimersByTimeAsync(50);
    expect(node.state).toMatchObject({
      reachable: false,
      reason: 'op-node: no answer for 300 ms, and a block is overdue',
    });
    expect(polls).toBe(1);
  });

  it('gets time while blocks come', async () => {
    await hang();
    await jest.advanceTimersByTimeAsync(900);
    expect(node.state.reachable).toBe(true);
  });

  it('gets time while it does not sequence, because another node builds the blocks', async () => {
    await hang();
    node.noteSequencer(false);
    isBlockOverdue = true;
    await jest.advanceTimersByTimeAsync(900);
    expect(node.state.reachable).toBe(true);
  });

  it('is healthy again with its next answer', async () => {
    await hang();
    isBlockOverdue = true;
    await jest.advanceTimersByTimeAsync(400);
    active.now = true;
    active.last.resolve(true);
    await nextPoll();
    expect(node.state.reachable).toBe(true);
  });
});
