import { rm } from 'node:fs/promises';
import { expect } from '@jest/globals';
import { Hosts } from '../cluster/hosts.js';
import { lostOrReplaced } from '../cluster/published-blocks.js';
import { waitFor } from '../cluster/wait-for.js';
import { rpc } from '../devnet/test-network.js';
import { describeCluster, describeProcesses, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const BLOCKS = 5;

/** seq-0's op-node sequences without a cluster, as an operator has it do during a move. */
async function sequenceAlone(hosts: Hosts): Promise<void> {
  await hosts.prepare({ ids: ['seq-0', 'seq-1', 'seq-2'], blockTimeMs: 200 });
  const peers = hosts.nodes.map(({ id, addresses }) => `${id}@${addresses.PEER}`).join(',');
  for (const host of hosts.nodes) {
    await host.configure('op-node', { OP_NODE_CONDUCTOR_ENABLED: 'true' });
    await host.configure('baton', { ...host.conductorSettings('baton'), OP_CONDUCTOR_RAFT_PEERS: peers });
    await host.start('op-node');
  }
  const { devnet, addresses } = hosts.host('seq-0');
  for (const [method, ...params] of [
    ['admin_overrideLeader'],
    ['admin_startSequencer', (await devnet.state()).unsafeHead.hash],
  ] as const) {
    const { error } = await rpc(addresses.NODE, method, ...params);
    if (error) throw new Error(`${method}: ${error.message}`);
  }
}

describeProcesses('a sequencer that runs already', new Hosts(), sequenceAlone, (hosts, scenario) => {
  const moreBlocks = async (): Promise<void> => {
    const { devnet } = hosts.host('seq-0');
    const { number } = (await devnet.state()).unsafeHead;
    await waitFor('more blocks', async () => (await devnet.state()).unsafeHead.number >= number + BLOCKS);
    expect((await devnet.state()).active).toBe(true);
  };

  scenario('11: is left alone by a Baton whose cluster has not formed, and by its end', async () => {
    const host = hosts.host('seq-0');
    await host.start('baton');
    await waitFor('Baton to know that the sequencer runs', async () => {
      const { result } = await rpc(host.addresses.RPC, 'conductor_status');
      return (result as { node: { sequencerActive: boolean } }).node.sequencerActive;
    });
    await moreBlocks();
    await host.stop('baton');
    await moreBlocks();
  });

  scenario('11: goes first in the cluster, and no second sequencer runs beside it', async () => {
    const alone = hosts.host('seq-0');
    await Promise.all(hosts.nodes.map((host) => host.start('baton')));
    await waitFor('seq-0 to lead', async () => {
      const { result } = await rpc(alone.addresses.RPC, 'conductor_leaderWithID');
      const { id } = result as { id: string };
      return id === 'seq-0' && (await alone.devnet.state()).active;
    });
    await moreBlocks();
    const others = await Promise.all(
      hosts
        .devnets()
        .slice(1)
        .map((devnet) => devnet.state()),
    );
    expect(others.map(({ active, counts }) => ({ active, sealed: counts.sealed }))).toEqual([
      { active: false, sealed: 0 },
      { active: false, sealed: 0 },
    ]);
    // From here on its op-node asks again, under any leader.
    await alone.stop('op-node');
    await alone.start('op-node');
    await waitFor('a committed block', async () => {
      const { result } = await rpc(alone.addresses.RPC, 'conductor_status');
      return (result as { head: unknown }).head !== null;
    });
    expect(await lostOrReplaced(hosts)).toEqual([]);
  });
});

describeCluster('the leader loses its disk, and its op-node sequences', STEADY, (cluster, scenario) => {
  scenario(
    'a member that lost its disk does not publish, and is stopped when it is added again',
    async () => {
      const wiped = await expectHealthy(cluster);
      const { storageDir } = wiped.baton.options;
      await wiped.baton.kill();
      await rm(storageDir, { recursive: true });
      await wiped.baton.start();
      await cluster.activeAmong(cluster.others(wiped));
      const { committed } = (await wiped.devnet.state()).counts;
      await cluster.moreBlocks(BLOCKS);
      const { active, counts } = await wiped.devnet.state();
      expect({ active, committed: counts.committed }).toEqual({ active: true, committed });

      const leader = await cluster.activeAmong(cluster.others(wiped));
      await leader.baton.call('conductor_addServerAsVoter', [wiped.id, wiped.baton.consensusAddress, 0]);
      await waitFor('its sequencer to stop', async () => !(await wiped.devnet.state()).active);
      await expectHealthy(cluster);
      expect(await lostOrReplaced(cluster)).toEqual([]);
    },
  );
});
