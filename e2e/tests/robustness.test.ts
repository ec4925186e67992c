import { beforeAll, expect } from '@jest/globals';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import { expectHealthy } from './expect-healthy.js';
import { describeCluster } from './describe-cluster.js';

/** Programs that misbehave without dying: they must neither halt the chain nor fork it. */
describeCluster('a cluster whose programs misbehave', {}, (cluster, scenario) => {
  beforeAll(async () => {
    await cluster.activeLeader();
    await cluster.allHealthy();
  });

  const heightOf = async ({ devnet }: ClusterNode): Promise<number> => (await devnet.state()).head.number;
  const isActive = async ({ devnet }: ClusterNode): Promise<boolean> => (await devnet.state()).active;

  /** The node, other than `not`, that makes blocks; others may be unable to answer or stop. */
  const builderOtherThan = (not: ClusterNode): Promise<ClusterNode> =>
    waitFor('blocks of another node', async () => {
      for (const node of cluster.others(not)) {
        if (!(await isActive(node))) continue;
        const before = await heightOf(node);
        await waitFor('its next block', async () => (await heightOf(node)) > before, 2000);
        return node;
      }
      return undefined;
    });

  scenario('an op-node that refuses to start its sequencer costs it leadership, not the chain', async () => {
    const before = await cluster.activeLeader();
    const [refuses] = cluster.others(before) as [ClusterNode];
    await refuses.devnet.control('fail', {
      method: 'admin_startSequencer',
      error: 'sequencer is not enabled',
    });
    await before.baton.call('conductor_transferLeaderToServer', [refuses.id, '']);
    await builderOtherThan(refuses);
    expect(await refuses.baton.call('conductor_leader')).toBe(false);
    await refuses.devnet.control('fail', { method: 'admin_startSequencer', error: null });
    await expectHealthy(cluster);
  });

  scenario(
    'an op-node that refuses to stop publishes nothing, and is stopped as soon as it obeys',
    async () => {
      const before = await cluster.activeLeader();
      await before.devnet.control('fail', { method: 'admin_stopSequencer', error: 'no' });
      await before.baton.call('conductor_transferLeader');
      await builderOtherThan(before);
      expect(await isActive(before)).toBe(true);
      await before.devnet.control('fail', { method: 'admin_stopSequencer', error: null });
      await expectHealthy(cluster);
    },
  );

  scenario('a leader whose execution client alone hangs is left, and stopped when it wakes up', async () => {
    const frozen = await cluster.activeLeader();
    await frozen.devnet.control('hang', { target: 'execution' });
    await builderOtherThan(frozen);
    await frozen.devnet.control('resume', {});
    await expectHealthy(cluster);
  });

  scenario('an op-node that answers too late for every deadline loses leadership', async () => {
    const slow = await cluster.activeLeader();
    await slow.devnet.control('slow-rpc', { ms: 2500, target: 'op-node' });
    await builderOtherThan(slow);
    await slow.devnet.control('slow-rpc', { ms: 0 });
    await expectHealthy(cluster);
  });

  scenario('an op-node that answers slowly, but in time, keeps it', async () => {
    const slow = await cluster.activeLeader();
    await slow.devnet.control('slow-rpc', { ms: 400, target: 'op-node' });
    await cluster.moreBlocks(11);
    await slow.devnet.control('slow-rpc', { ms: 0 });
    expect((await expectHealthy(cluster)).id).toBe(slow.id);
  });

  scenario('a standby whose execution client was rewound is fed', async () => {
    const leader = await cluster.activeLeader();
    const [standby] = cluster.others(leader) as [ClusterNode];
    await standby.devnet.control('fall-behind', { blocks: 15 });
    // Its client has left committed blocks without a crash: for half a minute that may be the effect of an L1 reorg.
    await cluster.convergedAt(await cluster.moreBlocks(2), 60_000);
    await expectHealthy(cluster);
  });

  scenario('a leader that loses its peers transfers leadership', async () => {
    const alone = await cluster.activeLeader();
    await alone.devnet.control('lose-peers', {});
    await builderOtherThan(alone);
    await waitFor('its sequencer to stop', async () => !(await isActive(alone)));
    await alone.devnet.control('regain-peers', {});
    await expectHealthy(cluster);
  });

  scenario('op-nodes that all lose their peers do not move leadership', async () => {
    const leader = await cluster.activeLeader();
    const losePeers = async (nodes: readonly ClusterNode[]): Promise<void> => {
      await Promise.all(nodes.map(({ devnet }) => devnet.control('lose-peers', {})));
      const isHealthy = ({ baton }: ClusterNode): Promise<boolean> =>
        baton.call('conductor_sequencerHealthy');
      await waitFor('bad health', async () => !(await Promise.all(nodes.map(isHealthy))).includes(true));
    };
    // The leader last: it would rightly leave for a node whose next check is late on a busy machine.
    await losePeers(cluster.others(leader));
    await losePeers([leader]);
    // Long enough for two more checks of everybody.
    await cluster.moreBlocks(13);
    expect(await leader.baton.call('conductor_leader')).toBe(true);
    await Promise.all(cluster.nodes.map(({ devnet }) => devnet.control('regain-peers', {})));
    expect((await expectHealthy(cluster)).id).toBe(leader.id);
  });
});
