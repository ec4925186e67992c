import { beforeAll, expect } from '@jest/globals';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import type { NodeState } from '../devnet/control.js';
import { expectHealthy } from './expect-healthy.js';
import { describeCluster, STEADY } from './describe-cluster.js';

describeCluster('leadership on demand', STEADY, (cluster, scenario) => {
  beforeAll(async () => {
    await cluster.convergedAt(3);
    await cluster.allHealthy();
  });

  /** Blocks that a sequencer built and dropped. */
  const dropped = ({ counts, pending }: NodeState): number =>
    counts.sealed - counts.committed - (pending ? 1 : 0);

  /** The node's sequencer has ended, and all blocks that it built since are part of the chain. */
  const expectStoppedInGoodOrder = async (node: ClusterNode, before: NodeState): Promise<void> => {
    const state = await node.devnet.state();
    const { active, pending, sealed, head } = state;
    expect({ active, pending, dropped: dropped(state) }).toEqual({
      active: false,
      pending: null,
      dropped: dropped(before),
    });
    const successor = cluster.others(node)[0]!;
    await cluster.convergedAt(head.number);
    expect((await successor.devnet.blocks(sealed!.number))[0]).toEqual(sealed);
  };

  scenario('conductor_transferLeader moves the sequencer to another node', async () => {
    const before = await cluster.activeLeader();
    await before.baton.call('conductor_transferLeader');
    expect(await before.baton.call('conductor_leader')).toBe(false);
    const after = await expectHealthy(cluster);
    expect(after.id).not.toBe(before.id);
    expect(await before.baton.call('conductor_leaderWithID')).toEqual({
      id: after.id,
      addr: after.baton.consensusAddress,
      suffrage: 0,
    });
  });

  scenario('conductor_transferLeaderToServer moves it to the named node', async () => {
    for (const target of cluster.nodes) {
      const leader = await cluster.activeLeader();
      if (leader === target) continue;
      await leader.baton.call('conductor_transferLeaderToServer', [target.id, target.baton.consensusAddress]);
      expect((await cluster.activeLeader()).id).toBe(target.id);
    }
    await expectHealthy(cluster);
  });

  scenario(
    'refuses to transfer leadership that it does not have, or to a member that it does not know',
    async () => {
      const leader = await cluster.activeLeader();
      const [follower, other] = cluster.others(leader) as [ClusterNode, ClusterNode];
      const transfer = (at: ClusterNode, id: string, address: string): Promise<unknown> =>
        at.baton.call('conductor_transferLeaderToServer', [id, address]);
      const { id, baton } = other;
      await expect(transfer(follower, id, baton.consensusAddress)).rejects.toThrow('node is not the leader');
      await expect(follower.baton.call('conductor_transferLeader')).rejects.toThrow('node is not the leader');
      await expect(transfer(leader, 'nobody', '127.0.0.1:1')).rejects.toThrow(
        'cannot find replication state for nobody',
      );
      await expect(transfer(leader, id, '127.0.0.1:1')).rejects.toThrow(
        `the address of ${id} is ${baton.consensusAddress}, not 127.0.0.1:1`,
      );
      await expect(transfer(leader, leader.id, leader.baton.consensusAddress)).rejects.toThrow(
        'cannot transfer leadership to itself',
      );
      expect((await expectHealthy(cluster)).id).toBe(leader.id);
    },
  );

  scenario('SIGTERM of the active Baton stops its sequencer and transfers leadership', async () => {
    const leaving = await cluster.activeLeader();
    const before = await leaving.devnet.state();
    expect(await leaving.baton.kill('SIGTERM')).toBe(0);
    await expectStoppedInGoodOrder(leaving, before);
    expect((await expectHealthy(cluster)).id).not.toBe(leaving.id);
    await leaving.baton.start();
    await expectHealthy(cluster);
  });

  scenario('conductor_stop on the active node does the same', async () => {
    const leaving = await cluster.activeLeader();
    const before = await leaving.devnet.state();
    expect(await leaving.baton.call('conductor_stop')).toBe(null);
    await waitFor('its RPC to be gone', () =>
      leaving.baton.call('conductor_leader').then(
        () => undefined,
        () => true,
      ),
    );
    await expectStoppedInGoodOrder(leaving, before);
    expect((await cluster.activeLeader()).id).not.toBe(leaving.id);
    // Null if it had ended by itself: a supervisor would have started it again.
    expect(await leaving.baton.kill('SIGTERM')).toBe(0);
    await leaving.baton.start();
    await expectHealthy(cluster);
  });
});
