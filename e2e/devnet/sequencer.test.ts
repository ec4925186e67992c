import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { blockHashOf, genesisBlock } from './block.js';
import { ChainStore } from './chain-store.js';
import { Faults } from './faults.js';
import { SimulatedL1 } from './l1-info.js';
import { refOf, type PayloadEnvelope } from './payload.js';
import { Sequencer, type SequencerOptions } from './sequencer.js';
import { TestNetwork, until } from './test-network.js';

const CHAIN_ID = 901;
const never = new AbortController().signal;

/** A sequencer over parts that write down what it does with them, in order. */
function createSequencer(
  dataDir: string,
  options: Partial<SequencerOptions> = {},
  genesisTime = nowSeconds(),
) {
  const genesis = genesisBlock(CHAIN_ID, genesisTime);
  const chain = new ChainStore({ dataDir, genesis, loseBlocksAfterCrash: 0 });
  const faults = new Faults();
  const log: string[] = [];
  const behaviour = {
    leader: async () => true,
    commit: async (_block: PayloadEnvelope): Promise<void> => {},
  };
  const head = () => refOf(chain.head);
  const sequencer = new Sequencer(
    { name: 'a', chainId: CHAIN_ID, blockTimeMs: 20, payloadBytes: 0, commitBackoffMs: 20, ...options },
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
      l1: new SimulatedL1(CHAIN_ID, genesisTime),
      log: pino({ level: 'silent' }),
      hasPrestate: () => true,
    },
  );
  chain.changes.on('head', () => log.push(`head ${head().number}`));
  return { sequencer, chain, faults, log, behaviour, head };
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

  it('notices its start when the event loop turns next: when it is woken', async () => {
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

  it('gives a block up when another one takes its place', async () => {
    const { sequencer, behaviour, chain, head } = create();
    const other = create({ name: 'b' }, refOf(chain.genesis).timestamp);
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

  it('stops after the commit under way has become the head', async () => {
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

  it('does not stop for a caller that went away', async () => {
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

  it('gives blocks the present second when several make one', async () => {
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
