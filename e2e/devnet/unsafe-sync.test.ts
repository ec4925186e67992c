import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { chainOn, childOf, genesisBlock } from './block.js';
import { ChainStore } from './chain-store.js';
import { Faults } from './faults.js';
import { refOf, type PayloadEnvelope } from './payload.js';
import { TestNetwork } from './test-network.js';
import { UnsafeSync } from './unsafe-sync.js';

const genesis = genesisBlock(901, 1000);

describe('payloads from elsewhere', () => {
  const network = new TestNetwork();
  let chain: ChainStore;
  let faults: Faults;
  let sync: UnsafeSync;
  let isSequencing: boolean;
  const [b1, b2, b3, b4] = chainOn(genesis, 4) as [
    PayloadEnvelope,
    PayloadEnvelope,
    PayloadEnvelope,
    PayloadEnvelope,
  ];
  /** Another branch from block 1. */
  const [c2, c3, c4] = chainOn(b1, 3, 5) as [PayloadEnvelope, PayloadEnvelope, PayloadEnvelope];
  const gossip = async (...blocks: PayloadEnvelope[]) => {
    for (const block of blocks) sync.receive(block, 'gossip');
    await sync.settle();
  };
  const post = async (block: PayloadEnvelope) => {
    sync.receive(block, 'admin');
    await sync.settle();
  };

  beforeEach(() => {
    isSequencing = false;
    faults = new Faults();
    chain = new ChainStore({ dataDir: network.folder(), genesis, loseBlocksAfterCrash: 0 });
    sync = new UnsafeSync(chain, faults, () => isSequencing, pino({ level: 'silent' }));
  });
  afterEach(() => network.stop());

  it('are imported after the call that brought them', async () => {
    sync.receive(b1, 'admin');
    expect(chain.head).toBe(genesis);
    await sync.settle();
    expect(chain.head).toEqual(b1);
    expect(sync.imported).toBe(1);
  });

  it('wait for their parent, in whatever order they come', async () => {
    await gossip(b4, b2, b3);
    expect(chain.head).toBe(genesis);
    expect(sync.waiting).toBe(3);
    await gossip(b1);
    expect(chain.head).toEqual(b4);
    expect(sync.waiting).toBe(0);
    expect(chain.refsFrom(1)).toEqual([b1, b2, b3, b4].map(refOf));
  });

  it('do not become the head again when they come twice', async () => {
    await gossip(b1, b2, b1, b2);
    expect(chain.head).toEqual(b2);
    expect(sync.imported).toBe(2);
  });

  it('replace the head by gossip only when they are above it', async () => {
    await gossip(b1, b2, b3, c2, c3);
    expect(chain.head).toEqual(b3);
    await gossip(c4);
    expect(chain.head).toEqual(c4);
    expect(chain.refsFrom(1)).toEqual([b1, c2, c3, c4].map(refOf));
  });

  it('replace a head of their own height when they are posted', async () => {
    await gossip(b1, b2);
    await post(c2);
    expect(chain.head).toEqual(c2);
    await gossip(b2);
    expect(chain.head).toEqual(c2);
    await post(b1);
    expect(chain.head).toEqual(c2);
  });

  it('replace the head of a sequencing node only by building on it', async () => {
    await gossip(b1, b2);
    isSequencing = true;
    await gossip(c2, c3, c4);
    expect(chain.head).toEqual(b2);
    await gossip(b3);
    expect(chain.head).toEqual(b3);
    isSequencing = false;
    await gossip(childOf(c4));
    expect(refOf(chain.head).parentHash).toBe(refOf(c4).hash);
  });

  it('are dropped when they contradict their parent', async () => {
    const parent = { ...b1, executionPayload: { ...b1.executionPayload, blockNumber: '0x8' as const } };
    await gossip(b1, childOf(parent), childOf(b1, { timestamp: refOf(b1).timestamp - 1 }));
    expect(chain.head).toEqual(b1);
    expect(sync.imported).toBe(1);
  });

  it('wait for a frozen execution client', async () => {
    faults.hang(['execution']);
    sync.receive(b1, 'gossip');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(chain.head).toBe(genesis);
    faults.resume();
    await sync.settle();
    expect(chain.head).toEqual(b1);
  });

  it('are given up when too many wait', async () => {
    const orphans = chainOn(genesis, 1030).slice(1);
    await gossip(...orphans);
    expect(sync.waiting).toBe(1024);
  });
});
