import { beforeAll, expect } from '@jest/globals';
import { keccak256, stringToBytes } from 'viem/utils';
import type { BatonProcess, LogLine } from '../cluster/baton-process.js';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { lostOrReplaced } from '../cluster/published-blocks.js';
import { readStoredChain } from '../cluster/stored-chain.js';
import { waitFor } from '../cluster/wait-for.js';
import { childOf, genesisBlock } from '../devnet/block.js';
import { refOf, toQuantity, type BlockRef, type PayloadEnvelope } from '../devnet/payload.js';
import { describeCluster, describeConductors, STEADY } from './describe-cluster.js';

/** Waits for a log line with this message that fits. */
const logged = (baton: BatonProcess, msg: string, fits: (line: LogLine) => boolean): Promise<LogLine> =>
  waitFor(`${baton.id} to log "${msg}"`, () => baton.log.find((line) => line.msg === msg && fits(line)));

const GENESIS_TIME = 1_795_000_000;
const CLUSTER = { clusterFlags: ['--raft.heartbeat-timeout', '2s'], genesisTime: GENESIS_TIME };

describeConductors('the rules of the chain', CLUSTER, (conductors, scenario) => {
  let leader: BatonProcess;
  /** The committed chain; index is the height. */
  const chain: PayloadEnvelope[] = [genesisBlock(901, GENESIS_TIME)];

  beforeAll(async () => {
    leader = await conductors.leader();
  });

  /** A block on that parent; each `variant` has its own hash. */
  const child = (parent: PayloadEnvelope, variant = ''): PayloadEnvelope =>
    childOf(parent, { prevRandao: keccak256(stringToBytes(variant)) });

  /** A block of that height on a parent that nobody knows. */
  const stranger = (height: number): PayloadEnvelope => {
    const parent = child(chain[0]!, 'stranger');
    return child({
      ...parent,
      executionPayload: { ...parent.executionPayload, blockNumber: toQuantity(height - 1) },
    });
  };

  const head = (): PayloadEnvelope => chain.at(-1)!;

  const commit = (block: PayloadEnvelope, at: BatonProcess = leader): Promise<unknown> =>
    at.call('conductor_commitUnsafePayload', [block]);

  const extend = async (block = child(head())): Promise<void> => {
    expect(await commit(block)).toBe(null);
    chain.length = refOf(block).number;
    chain.push(block);
  };

  scenario('takes blocks one on top of the other', async () => {
    for (let height = 1; height <= 6; height++) await extend();
  });

  scenario('treats a block that is already committed, or on its way, as a success', async () => {
    expect(await commit(head())).toBe(null);
    expect(await commit(chain[3]!)).toBe(null);
    const next = child(head());
    expect(await Promise.all([commit(next), commit(next), commit(next)])).toEqual([null, null, null]);
    chain.push(next);
  });

  scenario('refuses what contradicts the chain, with both hashes', async () => {
    const above = refOf(head());
    const next = refOf(stranger(above.number + 1));
    await expect(commit(stranger(above.number + 1))).rejects.toThrow(
      `failed to apply payload envelope: block ${next.number} (${next.hash}) has parent ${next.parentHash}, ` +
        `but the committed block ${above.number} is ${above.hash}`,
    );
    const beside = refOf(stranger(above.number));
    await expect(commit(stranger(above.number))).rejects.toThrow(
      `block ${beside.number} (${beside.hash}) has parent ${beside.parentHash}, ` +
        `but the committed block ${above.number - 1} is ${above.parentHash}`,
    );
    const first = refOf(stranger(1));
    await expect(commit(stranger(1))).rejects.toThrow(
      `block 1 (${first.hash}) has parent ${first.parentHash}, but the committed block 0 is ${refOf(chain[0]!).hash}`,
    );
    await extend();
  });

  scenario('takes blocks only from the leader', async () => {
    for (const baton of conductors.batons.values()) {
      if (baton === leader) continue;
      await expect(commit(child(head()), baton)).rejects.toThrow(
        'failed to apply payload envelope: node is not the leader',
      );
    }
  });

  scenario('refuses another block of a height that has one, with both hashes', async () => {
    for (const depth of [1, 4]) {
      const block = child(chain.at(-1 - depth)!, `instead of ${depth}`);
      const there = refOf(chain.at(-depth)!);
      const { number, hash, parentHash } = refOf(block);
      expect(number).toBe(there.number);
      await expect(commit(block)).rejects.toThrow(
        `failed to apply payload envelope: block ${number} (${hash}) has parent ${parentHash}, ` +
          `but the committed block ${number} is ${there.hash}`,
      );
      expect(await commit(chain.at(-depth)!)).toBe(null);
      await extend();
    }
    for (const baton of conductors.batons.values()) {
      expect(baton.log.filter(({ msg }) => msg === 'committed blocks were replaced')).toEqual([]);
    }
  });

  scenario('refuses a block above a gap that the local execution client does not fill', async () => {
    const above = refOf(head());
    const block = refOf(stranger(above.number + 6));
    const refusal = commit(stranger(above.number + 6));
    await expect(refusal).rejects.toThrow(`block ${block.number} (${block.hash})`);
    await expect(refusal).rejects.toThrow(above.hash);
    await extend();
  });

  scenario('takes a block above a gap that the client fills, with a warning on every node', async () => {
    const before = refOf(head()).number;
    const missing = [child(head())];
    while (missing.length < 5) missing.push(child(missing.at(-1)!));
    await conductors.importBlocks([...chain.slice(1), ...missing]);
    const block = child(missing.at(-1)!);
    expect(await commit(block)).toBe(null);
    for (const baton of conductors.batons.values()) {
      const line = await logged(baton, 'committed head leaves a gap', () => true);
      expect(line).toMatchObject({ level: 40, number: before + 6, hash: refOf(block).hash, missing: 5 });
    }
    await expect(commit(stranger(before + 3))).rejects.toThrow(
      `but the committed head is ${before + 6} (${refOf(block).hash})`,
    );
    chain.push(block, child(block));
    expect(await commit(head())).toBe(null);
  });

  scenario('is the same chain on every disk afterwards', async () => {
    for (const id of conductors.ids) await conductors.makeLeader(id);
    await Promise.all([...conductors.batons.values()].map((baton) => baton.kill()));
    for (const id of conductors.ids) {
      const { blocks, verdicts } = await readStoredChain(conductors.storageDir(id), id);
      expect(blocks.map(({ hash }) => hash)).toEqual(chain.slice(1).map((block) => refOf(block).hash));
      // Refused and repeated blocks left no trace in the log.
      const counts = new Map<string, number>();
      for (const verdict of verdicts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      expect(Object.fromEntries(counts)).toEqual({ append: 12, gap: 1 });
    }
  });
});

/** Fast enough for a chain that begins with the test to derive from several L1 blocks. */
const FAST_L1 = { ...STEADY, l1BlockTime: 2 };

describeCluster('a sequencer that changes its mind', FAST_L1, (cluster, scenario) => {
  beforeAll(async () => {
    await cluster.convergedAt(3);
    await cluster.allHealthy();
  });

  /** Waits for the next blocks; all nodes have them. */
  const moreBlocks = async (count: number): Promise<ClusterNode> => {
    const leader = await cluster.activeLeader();
    const { head } = await leader.devnet.state();
    await cluster.convergedAt(head.number + count);
    return leader;
  };

  /** Makes the sequencer's next commit time out although the conductor carries it out, and returns its block. */
  const loseAnswer = async ({ devnet }: ClusterNode): Promise<BlockRef> => {
    const { counts } = await devnet.state();
    await devnet.control('drop-commit-answers', { count: 1 });
    return waitFor('a commit to time out', async () => {
      const { pending, counts: now } = await devnet.state();
      return pending && now.commitFailures > counts.commitFailures ? pending : undefined;
    });
  };

  scenario('that never got the answer to a commit goes on with one chain', async () => {
    await loseAnswer(await moreBlocks(2));
    await moreBlocks(2);
    expect(await lostOrReplaced(cluster)).toEqual([]);
  });

  scenario('whose answer was lost while leadership moved leaves the block to its successor', async () => {
    const leader = await moreBlocks(1);
    const orphan = await loseAnswer(leader);
    await leader.baton.call('conductor_transferLeader');
    expect((await moreBlocks(2)).id).not.toBe(leader.id);
    expect(await cluster.convergedAt(orphan.number)).toBe(orphan.hash);
    expect(await lostOrReplaced(cluster)).toEqual([]);
  });

  scenario('builds heights again when the L1 took them from a majority of the clients', async () => {
    const { devnet } = await moreBlocks(4);
    await waitFor('the third L1 block', async () => (await devnet.state()).l1Origin >= 3);
    const { head } = await devnet.state();
    await cluster.reorgL1();
    await moreBlocks(2);
    await cluster.convergedAt(head.number + 2);
    const [rebuilt] = await devnet.blocks(head.number);
    expect(rebuilt!.hash).not.toBe(head.hash);
    for (const { baton } of cluster.nodes) {
      await logged(baton, 'the committed head was reset', (line) => line['evidence'] === 'clients-left');
    }
    await cluster.allHealthy();
  });

  scenario('has the same chain in every log and on every node', async () => {
    await moreBlocks(1);
    await Promise.all(cluster.nodes.map(({ baton }) => baton.kill()));
    const chains = await Promise.all(cluster.nodes.map(({ devnet }) => devnet.blocks(1)));
    const hashes = chains.map((blocks) => blocks.map(({ hash }) => hash));
    for (const { id, baton } of cluster.nodes) {
      const { blocks, verdicts } = await readStoredChain(baton.options.storageDir, id);
      // Only the reorg: no block that was on its way was built again.
      const seen = new Set<string>(verdicts);
      expect(seen).toContain('reset');
      expect(seen).not.toContain('replacement');
      for (const nodes of hashes) {
        expect(blocks.slice(0, nodes.length).map(({ hash }) => hash)).toEqual(nodes.slice(0, blocks.length));
      }
    }
  });
});
