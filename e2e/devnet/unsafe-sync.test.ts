import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { chainOn, childOf, genesisBlock } from './block.js';
import { ChainStore } from './chain-store.js';
import { Faults } from './faults.js';
import { Mutex } from './mutex.js';
import { refOf, type PayloadEnvelope } from './payload.js';
import { TestNetwork } from './test-network.js';
import { UnsafeSync } from './unsafe-sync.js';

const genesis = genesisBlock(901, 1000);

describe('payloads from elsewhere', () => {
  const network = new TestNetwork();
  let chain: ChainStore;
  let faults: Faults;
  let sync: UnsafeSync;
  let eventLoop: Mutex;
  const [b1, b2, b3, b4] = chainOn(genesis, 4) as [
    PayloadEnvelope,
    PayloadEnvelope,
    PayloadEnvelope,
    PayloadEnvelope,
  ];
  /** Another branch from block 1. */
  const [c2, c3, c4] = chainOn(b1, 3, 5) as [PayloadEnvelope, PayloadEnvelope, PayloadEnvelope];
  const receive = async (...blocks: PayloadEnvelope[]) => {
    for (const block of blocks) sync.receive(block);
    await sync.settle();
  };

  beforeEach(() => {
    eventLoop = new Mutex();
    faults = new Faults();
    chain = new ChainStore({ dataDir: network.folder(), genesis, loseBlocksAfterCrash: 0 });
    sync = new UnsafeSync(chain, faults, eventLoop, pino({ level: 'silent' }));
  });
  afterEach(() => network.stop());

  it('are imported after the call that brought them', async () => {
    sync.receive(b1);
    expect(chain.head).toBe(genesis);
    await sync.settle();
    expect(chain.head).toEqual(b1);
    expect(sync.counts).toEqual({ imported: 1, dropped: 0 });
  });

  it('wait for those below them, in any order of arrival', async () => {
    await receive(b4, b2, b3);
    expect(chain.head).toBe(genesis);
    expect(sync.waiting).toBe(3);
    await receive(b1);
    expect(chain.head).toEqual(b4);
    expect(sync.waiting).toBe(0);
    expect(chain.refsFrom(1)).toEqual([b1, b2, b3, b4].map(refOf));
  });

  it('show which heights are missing below them while they wait', async () => {
    await receive(b3, b4);
    expect(sync.gap).toEqual({ from: 1, to: 2 });
    await receive(b1);
    expect(sync.gap).toEqual({ from: 2, to: 2 });
    await receive(b2);
    expect(sync.gap).toBeUndefined();
  });

  it('are checked again while they wait when the head moves for another reason', async () => {
    await receive(b3);
    for (const block of [b1, b2]) {
      chain.insert(block);
      chain.setHead(refOf(block).hash);
    }
    await sync.settle();
    expect(chain.head).toEqual(b3);
  });

  it('are all dropped at and below the head', async () => {
    await receive(b1, b2, b3);
    await receive(b2, b3, c2, c3);
    expect(chain.head).toEqual(b3);
    expect(sync.counts).toEqual({ imported: 3, dropped: 4 });
    for (const { hash } of [c2, c3].map(refOf)) expect(chain.byHash(hash)).toBeUndefined();
  });

  it('are dropped just above the head when they have another parent, and all on top of them in their turn', async () => {
    await receive(b1, b2);
    await receive(c3, c4);
    expect(chain.head).toEqual(b2);
    expect(sync.counts.dropped).toBe(1);
    expect(sync.waiting).toBe(1);
    await receive(b3);
    expect(chain.head).toEqual(b3);
    expect(sync.counts.dropped).toBe(2);
    expect(sync.waiting).toBe(0);
  });

  it('let a dropped sibling be followed by the right block', async () => {
    await receive(b1, b2, b4, c3);
    expect(chain.head).toEqual(b2);
    await receive(b3);
    expect(chain.head).toEqual(b4);
  });

  it('are accepted from another branch only after a reset to where it forks', async () => {
    await receive(b1, b2, b3, c2, c3, c4);
    expect(chain.head).toEqual(b3);
    chain.setHead(refOf(b1).hash);
    await receive(c2, c3, c4);
    expect(chain.refsFrom(1)).toEqual([b1, c2, c3, c4].map(refOf));
  });

  it('are in the queue only once, even if they come several times', async () => {
    await receive(b3, b3, b3);
    expect(sync.waiting).toBe(1);
  });

  it('are dropped when they contradict their parent', async () => {
    const parent = { ...b1, executionPayload: { ...b1.executionPayload, blockNumber: '0x8' as const } };
    await receive(b1, childOf(b1, { timestamp: refOf(b1).timestamp - 1 }));
    expect(chain.head).toEqual(b1);
    expect(sync.counts).toEqual({ imported: 1, dropped: 1 });
    await receive(childOf(parent));
    expect(sync.waiting).toBe(1);
  });

  it('wait until op-node has finished its current work', async () => {
    let done = () => {};
    const busy = eventLoop.run(() => new Promise<void>((resolve) => (done = resolve)));
    sync.receive(b1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(chain.head).toBe(genesis);
    done();
    await busy;
    await sync.settle();
    expect(chain.head).toEqual(b1);
  });

  it('wait for a frozen execution client', async () => {
    faults.hang(['execution']);
    sync.receive(b1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(chain.head).toBe(genesis);
    faults.resume();
    await sync.settle();
    expect(chain.head).toEqual(b1);
  });

  it('are dropped when too many wait, the lowest first', async () => {
    const orphans = chainOn(b1, 1030).slice(1);
    await receive(...orphans);
    expect(sync.waiting).toBe(1024);
    // As in op-node, even the one that all others wait for.
    await receive(b1);
    expect(chain.head).toEqual(genesis);
  });
});
