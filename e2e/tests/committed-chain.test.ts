import { rm } from 'node:fs/promises';
import { expect } from '@jest/globals';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import { childOf, genesisBlock } from '../devnet/block.js';
import { refOf, toQuantity } from '../devnet/payload.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

/** A killed geth comes back three to five blocks behind its own last head. */
const UNFLUSHED_BLOCKS = 4;

const transferTo = (from: ClusterNode, to: ClusterNode): Promise<unknown> =>
  from.baton.call('conductor_transferLeaderToServer', [to.id, to.baton.consensusAddress]);

/** Committed and acknowledged blocks stay under any leader, even if its own programs have another view. */
describeCluster('two sequencers with different blocks at one height', STEADY, (cluster, scenario) => {
  scenario('the one that could not be stopped replaces nothing when its node leads again', async () => {
    const stuck = await cluster.activeLeader();
    await cluster.convergedAt(await cluster.moreBlocks(3));
    const [other] = cluster.others(stuck) as [ClusterNode];
    await stuck.devnet.control('stop-gossip', {});
    await stuck.devnet.control('fail', { method: 'admin_stopSequencer', error: 'engine is busy' });
    const before = await stuck.devnet.state();

    await transferTo(stuck, other);
    await waitFor('blocks of the other one', async () => {
      const { active, head } = await other.devnet.state();
      return active && head.number >= before.head.number + 5;
    });
    const { active, pending, counts } = await stuck.devnet.state();
    expect(active).toBe(true);
    const [theirs] = await other.devnet.blocks(pending!.number);
    expect(theirs!.hash).not.toBe(pending!.hash);

    await transferTo(other, stuck);
    await waitFor('its op-node to try the commit twice more', async () => {
      const now = (await stuck.devnet.state()).counts;
      return now.committed > counts.committed || now.commitFailures >= counts.commitFailures + 2;
    });
    await stuck.devnet.control('fail', { method: 'admin_stopSequencer', error: null });
    await stuck.devnet.control('resume-gossip', {});
    await expectHealthy(cluster);
  });
});

describeCluster(
  'an execution client that loses blocks under an active op-node',
  STEADY,
  (cluster, scenario) => {
    scenario('costs none of them, since the log and the other nodes have them', async () => {
      const leader = await cluster.activeLeader();
      await cluster.convergedAt(await cluster.moreBlocks(2 * UNFLUSHED_BLOCKS));
      await leader.devnet.control('fall-behind', { blocks: UNFLUSHED_BLOCKS });
      await expectHealthy(cluster);
    });
  },
);

describeCluster('a block that comes back with another hash', STEADY, (cluster, scenario) => {
  for (const [why, fault] of [
    ['the answer to its commit was lost', 'drop-commit-answers'],
    ['op-node left before its commit was answered', 'abandon-commits'],
  ] as const) {
    scenario(`since ${why} leaves one chain on all nodes`, async () => {
      const { devnet } = await cluster.activeLeader();
      await cluster.convergedAt(await cluster.moreBlocks(2));
      const { counts } = await devnet.state();
      await devnet.control('reseal', { on: true });
      await devnet.control(fault, { count: 1 });
      await waitFor('a commit to time out', async () => {
        return (await devnet.state()).counts.commitFailures > counts.commitFailures;
      });
      await expectHealthy(cluster);
      await devnet.control('reseal', { on: false });
    });
  }
});

// A real op-node gets blocks that the empty log lacks from L1 or, as here, from its peers.
const ANEW = { ...STEADY, asksPeers: true };

describeCluster('conductors formed anew on empty directories', ANEW, (cluster, scenario) => {
  scenario('lose no block that only the founder lacks', async () => {
    await cluster.activeLeader();
    await cluster.convergedAt(await cluster.moreBlocks(2 * UNFLUSHED_BLOCKS));
    // Without conductors nothing more is published, and earlier blocks arrive.
    await Promise.all(cluster.nodes.map(({ baton }) => baton.kill()));
    await waitFor('all nodes to have the last block', async () => {
      const states = await Promise.all(cluster.nodes.map(({ devnet }) => devnet.state()));
      return new Set(states.map(({ head }) => head.hash)).size === 1;
    });
    await Promise.all(
      cluster.nodes.map(async (node) => {
        await node.devnet.kill();
        await rm(node.baton.options.storageDir, { recursive: true });
      }),
    );
    const [founder, ...others] = cluster.nodes as [ClusterNode, ...ClusterNode[]];
    await Promise.all([
      cluster.restartMachine(founder, UNFLUSHED_BLOCKS),
      ...others.map((node) => cluster.restartMachine(node)),
    ]);
    await expectHealthy(cluster);
  });
});

describeCluster("a stranger's block far above a gap", STEADY, (cluster, scenario) => {
  scenario('is refused, and the chain goes on', async () => {
    const leader = await cluster.activeLeader();
    await cluster.convergedAt(await cluster.moreBlocks(2));
    const parent = genesisBlock(1, 1_795_000_000);
    const elsewhere = childOf({
      ...parent,
      executionPayload: { ...parent.executionPayload, blockNumber: toQuantity(1_000_000) },
    });
    const { number, hash } = refOf(elsewhere);
    await expect(leader.baton.call('conductor_commitUnsafePayload', [elsewhere])).rejects.toThrow(
      `failed to apply payload envelope: block ${number} (${hash})`,
    );
    await leader.baton.call('conductor_transferLeader');
    await expectHealthy(cluster);
  });
});
