import { expect, it } from '@jest/globals';
import { FreezableDisk } from '../cluster/freezable-disk.js';
import { blocksEverHeld } from '../cluster/published-blocks.js';
import { waitFor } from '../cluster/wait-for.js';
import { expectHealthy } from './expect-healthy.js';
import { describeCluster } from './describe-cluster.js';

/** A killed geth comes back three to five blocks behind its own last head. */
const UNFLUSHED_BLOCKS = 4;

const noFreezableDisk = FreezableDisk.lacks();
if (noFreezableDisk !== undefined)
  console.warn(`failover.test.ts skips a disk that hangs: ${noFreezableDisk}`);

describeCluster('a cluster of three', {}, (cluster, scenario) => {
  scenario('goes on after kill -9 of the leader with its node, and takes it back', async () => {
    const killed = await cluster.activeLeader();
    await cluster.moreBlocks(5);
    await cluster.killMachine(killed);
    const last = (await blocksEverHeld(killed)).at(-1)!;

    const successor = await cluster.activeLeader();
    expect(successor.id).not.toBe(killed.id);
    await cluster.moreBlocks(3);
    const chain = await successor.devnet.blocks(last.number);
    expect(chain[0]).toEqual(last);
    expect(chain[1]?.parentHash).toBe(last.hash);

    await cluster.restartMachine(killed);
    await expectHealthy(cluster);
  });

  scenario('takes a killed node back that has lost its newest blocks', async () => {
    const killed = await cluster.activeLeader();
    await cluster.moreBlocks(2);
    await cluster.killMachine(killed);
    await cluster.activeLeader();
    await cluster.restartMachine(killed, UNFLUSHED_BLOCKS);
    await expectHealthy(cluster);
  });

  scenario('goes on after kill -9 of everything, from blocks that only the log still has', async () => {
    await cluster.activeLeader();
    await cluster.moreBlocks(UNFLUSHED_BLOCKS + 2);
    const before = await cluster.height();
    await Promise.all(cluster.nodes.map((node) => cluster.killMachine(node)));
    await Promise.all(cluster.nodes.map((node) => cluster.restartMachine(node, UNFLUSHED_BLOCKS)));
    await waitFor('the chain to go on', async () => (await cluster.height()) > before);
    await expectHealthy(cluster);
  });

  for (const target of ['op-node', 'both'] as const) {
    scenario(`does not wait for a leader whose ${target} hangs, and stops it when it wakes up`, async () => {
      const frozen = await cluster.activeLeader();
      const others = cluster.others(frozen);
      await frozen.devnet.control('hang', { target });
      await cluster.activeAmong(others);
      await cluster.moreBlocks(3);
      expect((await frozen.devnet.state()).hung).toContain('op-node');
      await frozen.devnet.control('resume', {});
      await expectHealthy(cluster);
    });
  }

  scenario('goes on when nodes that were down have to take over', async () => {
    const leader = await cluster.activeLeader();
    const others = cluster.others(leader);
    await Promise.all(others.map(({ devnet }) => devnet.kill('SIGKILL')));
    await cluster.moreBlocks(8);
    await cluster.killMachine(leader);
    await Promise.all(others.map(({ devnet }) => devnet.restart()));
    await cluster.activeAmong(others);
    await cluster.restartMachine(leader);
    await expectHealthy(cluster);
  });

  scenario('has one sequencer after the Baton of the leader was frozen alone', async () => {
    const frozen = await cluster.activeLeader();
    frozen.baton.signal('SIGSTOP');
    try {
      await cluster.activeAmong(cluster.others(frozen));
    } finally {
      frozen.baton.signal('SIGCONT');
    }
    await expectHealthy(cluster);
  });

  if (noFreezableDisk !== undefined) it.skip(`a disk that hangs: ${noFreezableDisk}`, () => {});
  else
    scenario("goes on while the disk of a follower hangs, and then, as the leader's, does", async () => {
      const node = await cluster.activeLeader();
      await node.baton.kill('SIGTERM');
      const disk = FreezableDisk.mountAt(node.baton.options.storageDir);
      try {
        await node.baton.start();
        await expectHealthy(cluster);
        if ((await cluster.activeLeader()) === node) await node.baton.call('conductor_transferLeader');
        disk.freeze();
        await cluster.moreBlocks(5);
        expect(await cluster.activeLeader()).not.toBe(node);
        disk.thaw();

        const leader = await expectHealthy(cluster);
        const { id, consensusAddress } = node.baton;
        await leader.baton.call('conductor_transferLeaderToServer', [id, consensusAddress]);
        expect((await cluster.activeLeader()).id).toBe(id);
        disk.freeze();
        await cluster.activeAmong(cluster.others(node));
        await cluster.moreBlocks(5);
        expect(node.baton.log.map(({ msg }) => msg)).toContain('disk write hangs: transferring leadership');
        disk.thaw();
        await expectHealthy(cluster);
      } finally {
        disk.thaw();
        await node.baton.kill();
        disk.remove();
      }
      await node.baton.start();
      await expectHealthy(cluster);
    });

  scenario('stops without a majority of conductors, and goes on with it', async () => {
    const leader = await cluster.activeLeader();
    const others = cluster.others(leader);
    await Promise.all(others.map(({ baton }) => baton.kill('SIGKILL')));
    await waitFor('the sequencer to be stopped', async () => !(await leader.devnet.state()).active);
    expect(await leader.baton.call('conductor_leader')).toBe(false);
    await Promise.all(others.map(({ baton }) => baton.start()));
    await expectHealthy(cluster);
  });
});
