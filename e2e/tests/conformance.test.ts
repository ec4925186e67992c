import { beforeAll, expect } from '@jest/globals';
import { request } from 'undici';
import type { ClusterMembership } from '../../rpc/server/conductor-api.js';
import type { ClusterNode, ClusterOptions } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import { pickPorts } from '../devnet/devnet-process.js';
import { rpc } from '../devnet/test-network.js';
import { expectHealthy } from './expect-healthy.js';
import { describeCluster } from './describe-cluster.js';

let metricsPorts: number[];

const prepare = async (): Promise<Partial<ClusterOptions>> => {
  metricsPorts = await pickPorts(3);
  return {
    formation: 'bootstrap',
    flags: ['--raft.heartbeat-timeout', '1s', '--metrics.enabled', '--metrics.addr', '127.0.0.1'],
    flagsOf: (index) => ['--metrics.port', String(metricsPorts[index])],
  };
};

/** op-conductor's system tests that no other file has, under their names (docs/reference/op-conductor.md §9.1, §9.2). */
describeCluster("op-conductor's system tests", prepare, (cluster, scenario) => {
  beforeAll(async () => {
    await cluster.activeLeader();
    await cluster.allHealthy();
  });

  const membership = ({ baton }: ClusterNode): Promise<ClusterMembership> =>
    baton.call('conductor_clusterMembership');
  const isLeader = ({ baton }: ClusterNode): Promise<boolean> => baton.call('conductor_leader');
  const isHealthy = ({ baton }: ClusterNode): Promise<boolean> => baton.call('conductor_sequencerHealthy');
  const all = (nodes: readonly ClusterNode[], method: string, params: unknown[] = []): Promise<unknown[]> =>
    Promise.all(nodes.map(({ baton }) => baton.call(method, params)));

  scenario(
    'TestSequencerFailover_ConductorRPC: pause, resume, leader and stale membership versions',
    async () => {
      const leader = await cluster.activeLeader();
      const [follower] = cluster.others(leader) as [ClusterNode];
      const { servers, version } = await membership(leader);
      expect(servers?.map(({ id, suffrage }) => [id, suffrage])).toEqual(
        cluster.nodes.map(({ id }) => [id, 0]),
      );
      const states = [];
      for (const method of ['active', 'pause', 'active', 'paused', 'resume', 'active', 'stopped']) {
        states.push(await follower.baton.call(`conductor_${method}`));
      }
      expect(states).toEqual([true, null, false, true, null, true, false]);
      const leaders = await all(cluster.nodes, 'conductor_leaderWithID');
      expect(new Set(leaders.map((one) => JSON.stringify(one))).size).toBe(1);

      const stale = `configuration changed since ${version - 1}`;
      const { id, baton } = follower;
      const again = [id, baton.consensusAddress, version - 1];
      const add = leader.baton.call('conductor_addServerAsNonvoter', again);
      await expect(add).rejects.toThrow(stale);
      const remove = leader.baton.call('conductor_removeServer', [follower.id, version - 1]);
      await expect(remove).rejects.toThrow(stale);
      const atFollower = follower.baton.call('conductor_removeServer', [leader.id, version]);
      await expect(atFollower).rejects.toThrow('node is not the leader');
      expect(await membership(leader)).toEqual({ servers, version });
    },
  );

  scenario('TestConductorLeadershipTransfer: through every voter and back', async () => {
    const first = await cluster.activeLeader();
    let source = first;
    for (const target of [...cluster.others(first), first]) {
      await cluster.allHealthy();
      const { id, baton } = target;
      await source.baton.call('conductor_transferLeaderToServer', [id, baton.consensusAddress]);
      await waitFor(`${id} to lead`, () => isLeader(target), 5000);
      expect(await isLeader(source)).toBe(false);
      expect((await cluster.activeLeader()).id).toBe(id);
      source = target;
    }
    await expectHealthy(cluster);
  });

  scenario('TestSequencerFailover_ActiveSequencerDown: another node is healthy and sequences', async () => {
    const down = await cluster.activeLeader();
    await down.devnet.kill();
    const successor = await cluster.activeLeader();
    expect(successor.id).not.toBe(down.id);
    expect(await isHealthy(successor)).toBe(true);
    await down.devnet.restart();
    await expectHealthy(cluster);
  });

  scenario(
    'a stopped sequencer is marked unhealthy, and starts again at its head through the admin API',
    async () => {
      const leader = await cluster.activeLeader();
      await all(cluster.nodes, 'conductor_pause');
      const { result: head } = await rpc(leader.devnet.nodeRpc, 'admin_stopSequencer');
      await waitFor('the old head to count', async () => !(await isHealthy(leader)));
      expect((await leader.devnet.state()).head.hash).toBe(head);
      expect(await isLeader(leader)).toBe(true);
      expect((await rpc(leader.devnet.nodeRpc, 'admin_startSequencer', head)).result).toBe(null);
      await waitFor('the node to be healthy', () => isHealthy(leader));
      await all(cluster.nodes, 'conductor_resume');
      expect((await expectHealthy(cluster)).id).toBe(leader.id);
    },
  );

  scenario('the metrics of every node tell this story', async () => {
    const leader = await cluster.activeLeader();
    const pages = await Promise.all(
      metricsPorts.map(async (port) => (await request(`http://127.0.0.1:${port}/metrics`)).body.text()),
    );
    const values = (name: string): number[] =>
      pages.map((page) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1]));
    const only = cluster.nodes.map((node) => Number(node === leader));
    expect(values('op_conductor_leader')).toEqual(only);
    expect(values('op_conductor_active')).toEqual(only);
    expect(values('op_conductor_up')).toEqual([1, 1, 1]);
    expect(new Set(values('sequencer_leader_term')).size).toBe(1);
    for (const commits of values('consensus_commits_total')) expect(commits).toBeGreaterThan(10);
    const ours = pages[cluster.nodes.indexOf(leader)]!;
    expect(ours).toMatch(/^op_conductor_commit_duration_seconds_count\{stage="total"\} [1-9]/m);
    expect(ours).toMatch(/^op_conductor_leader_transfer_duration_seconds_count [1-9]/m);
    expect(ours).toMatch(/^op_conductor_peer_last_contact_seconds\{peer="sequencer-/m);
    expect(pages.join('\n')).toMatch(/^op_conductor_elections_total\{reason="transfer"\} [1-9]/m);
  });

  scenario(
    'TestSequencerFailover_DisasterRecovery_OverrideLeader: one node goes on alone, by overrides',
    async () => {
      const leader = await cluster.activeLeader();
      const [first, survivor] = cluster.others(leader) as [ClusterNode, ClusterNode];
      await Promise.all([leader, first].map(({ baton }) => baton.kill()));
      await waitFor('the survivor to be no leader', async () => !(await isLeader(survivor)));
      await waitFor(
        'the old sequencer to be stuck',
        async () => (await leader.devnet.state()).pending !== null,
      );
      await survivor.baton.call('conductor_pause');

      const { nodeRpc } = survivor.devnet;
      const start = async (): ReturnType<typeof rpc> =>
        rpc(nodeRpc, 'admin_startSequencer', (await survivor.devnet.state()).head.hash);
      expect((await start()).error?.message).toBe('sequencer is not the leader, aborting');
      expect((await rpc(nodeRpc, 'admin_overrideLeader')).result).toBe(null);
      await waitFor('the start', async () => (await start()).error === undefined);
      const { head } = await survivor.devnet.state();
      await waitFor('blocks', async () => (await survivor.devnet.state()).head.number > head.number + 2);

      const proxied: [string, unknown[]][] = [
        ['eth_getBlockByNumber', ['latest', false]],
        ['optimism_syncStatus', []],
        ['optimism_outputAtBlock', ['0x0']],
        ['optimism_rollupConfig', []],
        ['admin_sequencerActive', []],
      ];
      const { baton } = survivor;
      expect(await baton.call('conductor_leader')).toBe(false);
      await baton.call('conductor_overrideLeader', [true]);
      expect(await all([survivor], 'conductor_leader')).toEqual([true]);
      expect(await all([survivor], 'conductor_leaderOverridden')).toEqual([true]);
      for (const [method, params] of proxied) expect(await baton.call(method, params)).not.toBe(null);
      await baton.call('conductor_overrideLeader', [false]);
      for (const [method, params] of proxied) {
        await expect(baton.call(method, params)).rejects.toThrow(
          'refusing to proxy request to non-leader sequencer',
        );
      }
    },
  );
});
