import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { blockHashOf, genesisBlock } from './block.js';
import { ChainStore } from './chain-store.js';
import { Faults } from './faults.js';
import { originOf, SimulatedL1 } from './l1-info.js';
import { Mutex } from './mutex.js';
import { refOf, type PayloadEnvelope } from './payload.js';
import { Sequencer, type SequencerOptions } from './sequencer.js';
import { TestNetwork, until } from './test-network.js';

const CHAIN_ID = 901;
const never = new AbortController().signal;

/** A sequencer over parts that record its calls, in order. */
function createSequencer(
  dataDir: string,
  options: Partial<SequencerOptions> = {},
  genesisTime = nowSeconds(),
) {
  const genesis = genesisBlock(CHAIN_ID, genesisTime);
  const chain = new ChainStore({ dataDir, genesis, loseBlocksAfterCrash: 0 });
  const l1 = new SimulatedL1({ chainId: CHAIN_ID, genesisTime, l1BlockTime: 1, l1Reorgs: [] });
  const faults = new Faults();
  const log: string[] = [];
  const behaviour = {
    leader: async () => true,
    commit: async (_block: PayloadEnvelope): Promise<void> => {},
  };
  const head = () => refOf(chain.unsafeHead);
  const sequencer = new Sequencer(
    { chainId: CHAIN_ID, blockTimeMs: 20, payloadBytes: 0, commitBackoffMs: 20, ...options },
    {
      chain,
      faults,
      conductor: {
        leader: () => {
          log.push('leader?');
          return behaviour.leader();
        },
        commitUnsafePayload: async (block) => {
          log.push(`commit ${refOf(block).number} on head ${head().number}`);
          await behaviour.commit(block);
          log.push(`committed ${refOf(block).number}`);
        },
      },
      gossip: { publish: (block) => log.push(`gossip ${refOf(block).number} on head ${head().number}`) },
      l1,
      eventLoop: new Mutex(),
      log: pino({ level: 'silent' }),
      hasPrestate: () => true,
    },
  );
  chain.changes.on('head', () => log.push(`head ${head().number}`));
  return { sequencer, chain, faults, l1, log, behaviour, head };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

describe('sequencer', () => {
  const network = new TestNetwork();
  const halts: (() => Promise<void>)[] = [];
  const create = (options?: Partial<SequencerOptions>, genesisTime?: number) => {
    const parts = createSequencer(network.folder(), options, genesisTime);
    halts.push(() => parts.sequencer.halt());
    return parts;
  };
  afterEach(async () => {
    for (const halt of halts.splice(0)) await halt();
    await network.stop();
  });

  it('notices its start at the next turn of the event loop: when it is woken', async () => {
    const { sequencer, head } = create({ blockTimeMs: 3_600_000 }, nowSeconds() - 3 * 3600);
    await sequencer.start(head().hash);
    expect(sequencer.active).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sequencer.counts.sealed).toBe(0);
    sequencer.wakeUp();
    await until(() => head().number > 0, 'a block');
  });

  it('commits before it gossips before it imports, block on block', async () => {
    const { sequencer, chain, log, head } = create();
    await sequencer.start(head().hash);
    await until(() => head().number >= 3, 'three blocks');
    await sequencer.halt();
    expect(log.slice(1, 9)).toEqual([
      ...['commit 1 on head 0', 'committed 1', 'gossip 1 on head 0', 'head 1'],
      ...['commit 2 on head 1', 'committed 2', 'gossip 2 on head 1', 'head 2'],
    ]);
    for (const { number, hash } of chain.refsFrom(1)) expect(blockHashOf(chain.byNumber(number)!)).toBe(hash);
  });

  it('commits the same payload again after a failure, gossips and imports nothing, and stays active', async () => {
    const { sequencer, behaviour, log, head } = create();
    const tried: string[] = [];
    behaviour.commit = async (block) => {
      tried.push(refOf(block).hash);
      if (tried.length < 4) throw new Error('node is not the leader');
    };
    await sequencer.start(head().hash);
    await until(() => tried.length === 3, 'three attempts');
    expect(log.some((line) => line.startsWith('gossip') || line.startsWith('head'))).toBe(false);
    expect(sequencer.active).toBe(true);
    expect(sequencer.pending?.hash).toBe(tried[0]);
    await until(() => head().number >= 1, 'the block');
    expect(new Set(tried.slice(0, 4)).size).toBe(1);
    expect(sequencer.counts.commitFailures).toBe(3);
  });

  it('seals a block again with another hash after a failed commit, when told to', async () => {
    const { sequencer, behaviour, faults, head } = create();
    faults.resealing = true;
    const tried: string[] = [];
    behaviour.commit = async (block) => {
      tried.push(refOf(block).hash);
      if (tried.length < 3) throw new Error('context deadline exceeded');
    };
    await sequencer.start(head().hash);
    await until(() => head().number >= 1, 'the block');
    expect(new Set(tried.slice(0, 3)).size).toBe(3);
    expect(sequencer.counts.commitFailures).toBe(2);
  });

  it('never seals the same block twice, on another node or on the same one', async () => {
    const genesisTime = nowSeconds() - 100;
    const seal = async (genesisAt: number): Promise<string> => {
      const { sequencer, behaviour, head } = create({ blockTimeMs: 2000 }, genesisAt);
      let sealed = '';
      behaviour.commit = async (block) => {
        sealed ||= refOf(block).hash;
        throw new Error('no');
      };
      await sequencer.start(head().hash);
      sequencer.wakeUp();
      await until(() => sealed !== '', 'a block');
      const first = sealed;
      // Started again at the same head it builds the height once more.
      sealed = '';
      await sequencer.halt();
      await sequencer.start(head().hash);
      sequencer.wakeUp();
      await until(() => sealed !== '', 'another block');
      expect(sealed).not.toBe(first);
      return first;
    };
    expect(await seal(genesisTime)).not.toBe(await seal(genesisTime));
  });

  it('records what it publishes before any peer can have it', async () => {
    const { sequencer, chain, log, head } = create();
    const notePublished = chain.notePublished.bind(chain);
    chain.notePublished = (block) => {
      log.push(`published ${block.number}`);
      notePublished(block);
    };
    await sequencer.start(head().hash);
    await until(() => head().number >= 1, 'a block');
    expect(log.slice(1, 6)).toEqual([
      ...['commit 1 on head 0', 'committed 1', 'published 1', 'gossip 1 on head 0', 'head 1'],
    ]);
  });

  describe('a reset', () => {
    it('walks back to what derives from the canonical L1, and builds on it from other L1 blocks', async () => {
      const { sequencer, chain, l1, head } = create();
      await sequencer.start(head().hash);
      const originAt = (number: number) => originOf(chain.byNumber(number)!.executionPayload.transactions);
      await until(() => (originAt(head().number)?.number ?? 0) >= 2, 'the second L1 block');
      const before = chain.refsFrom(1);
      const first = before.findIndex(({ number }) => originAt(number)!.number === 2);
      l1.reorg(2);
      await sequencer.reset();
      expect(head().number).toBe(first);
      expect(chain.refsFrom(1)).toEqual(before);
      const resetMs = performance.now();
      await until(() => head().number > before.length, 'the heights to be built again');
      expect(performance.now() - resetMs).toBeGreaterThanOrEqual(19);
      for (const { number, hash } of before.slice(first)) {
        expect(chain.refsFrom(number)[0]!.hash).not.toBe(hash);
        expect(l1.isCanonical(originAt(number)!)).toBe(true);
      }
    });

    it('does not touch a chain whose L1 blocks are all canonical', async () => {
      const { sequencer, chain, l1, head } = create();
      await sequencer.start(head().hash);
      await until(() => head().number >= 3, 'three blocks');
      await sequencer.halt();
      const before = chain.refsFrom(0);
      l1.reorg(1000);
      await sequencer.reset();
      expect(chain.refsFrom(0)).toEqual(before);
    });

    it('waits for the block that is being committed', async () => {
      const { sequencer, behaviour, log, l1, head } = create();
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      behaviour.commit = async (block) => {
        if (refOf(block).number === 3) await held;
      };
      await sequencer.start(head().hash);
      await until(() => log.includes('commit 3 on head 2'), 'a commit under way');
      l1.reorg(1);
      const isReset = sequencer.reset();
      release();
      await isReset;
      expect(log.slice(log.indexOf('committed 3')).slice(0, 4)).toEqual([
        ...['committed 3', 'gossip 3 on head 2', 'head 3', 'head 0'],
      ]);
    });

    it('comes by itself when the head derives from a vanished L1 block', async () => {
      const { sequencer, l1, log, head } = create();
      await sequencer.start(head().hash);
      await until(() => head().number >= 3, 'three blocks');
      l1.reorg(1);
      await until(() => log.includes('head 0'), 'a reset');
      await until(() => head().number >= 1, 'a block');
    });
  });

  it('pauses between attempts for the back-off time', async () => {
    const { sequencer, behaviour, head } = create({ commitBackoffMs: 150 });
    const atMs: number[] = [];
    behaviour.commit = async () => {
      atMs.push(performance.now());
      throw new Error('no');
    };
    await sequencer.start(head().hash);
    await until(() => atMs.length === 3, 'three attempts');
    expect(atMs[1]! - atMs[0]!).toBeGreaterThanOrEqual(148);
    expect(atMs[2]! - atMs[1]!).toBeGreaterThanOrEqual(148);
  });

  it('gives up a block when another one replaces it', async () => {
    const { sequencer, behaviour, chain, head } = create();
    const other = create({}, refOf(chain.genesis).timestamp);
    await other.sequencer.start(other.head().hash);
    await until(() => other.head().number >= 1, 'a block of the other');
    let refused = '';
    behaviour.commit = async (block) => {
      if (refOf(block).number > 1) return;
      refused = refOf(block).hash;
      throw new Error('conflict');
    };
    await sequencer.start(head().hash);
    await until(() => refused !== '', 'a refusal');
    chain.insert(other.chain.byNumber(1)!);
    chain.setHead(refOf(other.chain.byNumber(1)!).hash);
    await until(() => head().number >= 2, 'a block on top');
    expect(chain.refsFrom(1)[0]!.hash).not.toBe(refused);
    expect(chain.refsFrom(2)[0]!.parentHash).toBe(refOf(other.chain.byNumber(1)!).hash);
  });

  it('stops after the current commit has become the head', async () => {
    const { sequencer, behaviour, head } = create();
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let isHeld = false;
    behaviour.commit = async (block) => {
      isHeld = refOf(block).number === 2;
      if (isHeld) await held;
    };
    await sequencer.start(head().hash);
    await until(() => isHeld, 'a commit under way');
    const stopped = sequencer.stop(never);
    release();
    expect(await stopped).toBe(head().hash);
    expect(head().number).toBe(2);
    expect(sequencer.active).toBe(false);
  });

  it('waits in stop for the import of a committed block while the conductor leads', async () => {
    const { sequencer, behaviour, faults, log, head } = create();
    behaviour.commit = async () => faults.hang(['execution']);
    await sequencer.start(head().hash);
    await until(() => log.includes('gossip 1 on head 0'), 'a block that cannot be imported');
    const stopped = sequencer.stop(never);
    await until(() => log.filter((line) => line === 'leader?').length === 2, 'the question who leads');
    expect(sequencer.active).toBe(true);
    faults.resume();
    expect(await stopped).toBe(head().hash);
    expect(head().number).toBe(1);
  });

  it.each(['no leader any more', 'no answer'])(
    'does not wait for the import in stop with %s',
    async (why) => {
      const { sequencer, behaviour, faults, log, head } = create();
      behaviour.commit = async () => faults.hang(['execution']);
      const genesis = head().hash;
      await sequencer.start(genesis);
      await until(() => log.includes('gossip 1 on head 0'), 'a block that cannot be imported');
      behaviour.leader = async () => {
        if (why === 'no answer') throw new Error('context deadline exceeded');
        return false;
      };
      expect(await sequencer.stop(never)).toBe(genesis);
      expect(sequencer.active).toBe(false);
      faults.resume();
    },
  );

  it('does not stop for a caller that has left', async () => {
    const { sequencer, behaviour, faults, log, head } = create();
    behaviour.commit = async () => faults.hang(['execution']);
    await sequencer.start(head().hash);
    await until(() => log.includes('gossip 1 on head 0'), 'a block that cannot be imported');
    const caller = new AbortController();
    const stopped = sequencer.stop(caller.signal);
    const failed = expect(stopped).rejects.toThrow('aborted');
    caller.abort();
    await failed;
    expect(sequencer.active).toBe(true);
    faults.resume();
  });

  it('catches up back to back with timestamps one block time apart', async () => {
    const genesisTime = nowSeconds() - 21;
    const { sequencer, chain, head } = create({ blockTimeMs: 2000 }, genesisTime);
    const startedMs = performance.now();
    await sequencer.start(head().hash);
    await until(() => head().number >= 10, 'ten blocks');
    expect(performance.now() - startedMs).toBeLessThan(5000);
    const times = chain.refsFrom(1).map(({ timestamp }) => timestamp - genesisTime);
    expect(times.slice(0, 10)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  });

  it('seals a block just before its timestamp', async () => {
    const { sequencer, behaviour, head } = create({ blockTimeMs: 1000 });
    const aheadMs: number[] = [];
    behaviour.commit = async (block) => {
      aheadMs.push(refOf(block).timestamp * 1000 - Date.now());
    };
    await sequencer.start(head().hash);
    await until(() => aheadMs.length >= 2, 'two blocks');
    for (const ms of aheadMs) expect(ms).toBeLessThanOrEqual(50);
  });

  it('gives blocks the current second when several share it', async () => {
    const genesisTime = nowSeconds() - 500;
    const { sequencer, chain, head } = create({ blockTimeMs: 100 }, genesisTime);
    const before = nowSeconds();
    const startedMs = Date.now();
    await sequencer.start(head().hash);
    await until(() => head().number >= 4, 'four blocks');
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(299);
    for (const { timestamp } of chain.refsFrom(1)) {
      expect(timestamp).toBeGreaterThanOrEqual(before);
      expect(timestamp).toBeLessThanOrEqual(nowSeconds());
    }
  });

  it('fills blocks with random calldata', async () => {
    const { sequencer, chain, head } = create({ payloadBytes: 250_000 });
    await sequencer.start(head().hash);
    await until(() => head().number >= 2, 'two blocks');
    const [first, second] = [1, 2].map((number) => chain.byNumber(number)!.executionPayload.transactions);
    expect(first).toHaveLength(4);
    expect(first!.join('').length / 2).toBeGreaterThan(250_000);
    expect(first![1]).not.toBe(second![1]);
    expect(first![0]).toMatch(/^0x7e/);
  });
});
