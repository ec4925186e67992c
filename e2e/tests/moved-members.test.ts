import { beforeAll, expect } from '@jest/globals';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { lostOrReplaced } from '../cluster/published-blocks.js';
import { runBaton } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { pickPorts } from '../devnet/devnet-process.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

describeCluster(
  'three members that come back at other addresses, with their disks',
  STEADY,
  (cluster, scenario) => {
    const warningsOf = ({ baton }: ClusterNode): object[] =>
      baton.log.filter(({ code }) => code === 'address-differs');

    /** Forgets the logs of earlier processes. */
    const startAll = async (): Promise<void> => {
      for (const { baton } of cluster.nodes) baton.log.splice(0);
      await Promise.all(cluster.nodes.map(({ baton }) => baton.start()));
    };

    const addressesAt = async ({ baton }: ClusterNode): Promise<Record<string, string>> => {
      const { servers } = await baton.call<{ servers: { id: string; addr: string }[] }>(
        'conductor_clusterMembership',
      );
      return Object.fromEntries(servers.map(({ id, addr }) => [id, addr]));
    };

    const currentAddresses = (): Record<string, string> =>
      Object.fromEntries(cluster.nodes.map(({ id, baton }) => [id, baton.consensusAddress]));

    const clusterIdAt = async ({ baton }: ClusterNode): Promise<string> =>
      (await baton.call<{ clusterId: string }>('conductor_status')).clusterId;

    /** All stop, and start with other ports in the list of peers of each. */
    const moveAll = async (): Promise<void> => {
      await Promise.all(cluster.nodes.map(({ baton }) => baton.kill()));
      const ports = await pickPorts(cluster.nodes.length);
      cluster.nodes.forEach(({ baton }, at) => (baton.options.consensusPort = ports[at]!));
      const peers = Object.entries(currentAddresses()).map(([id, address]) => `${id}@${address}`);
      for (const { baton } of cluster.nodes) {
        const { flags = [] } = baton.options;
        const at = flags.indexOf('--raft.peers') + 1;
        expect(at).toBeGreaterThan(0);
        baton.options.flags = [...flags.slice(0, at), peers.join(','), ...flags.slice(at + 1)];
      }
      await startAll();
    };

    let listed: Record<string, string>;

    beforeAll(async () => {
      await expectHealthy(cluster);
      listed = currentAddresses();
    });

    scenario(
      'find each other by the new list, the chain goes on, and each reports the cluster’s other address',
      async () => {
        const [first] = cluster.nodes as [ClusterNode];
        const clusterId = await clusterIdAt(first);
        const height = await cluster.moreBlocks(3);
        await moveAll();
        await cluster.activeLeader();
        expect(await cluster.moreBlocks(3)).toBeGreaterThan(height);
        expect(await lostOrReplaced(cluster)).toEqual([]);
        for (const node of cluster.nodes) {
          expect(await clusterIdAt(node)).toBe(clusterId);
          expect(await addressesAt(node)).toEqual(listed);
          expect(warningsOf(node)).toMatchObject([
            {
              listed: listed[node.id],
              advertised: node.baton.consensusAddress,
              remedy: expect.stringContaining(`baton add ${node.id} ${node.baton.consensusAddress}`),
            },
          ]);
        }
      },
    );

    scenario(
      'are listed at the new addresses once each was added there, and report nothing more',
      async () => {
        const leader = await cluster.activeLeader();
        for (const { id, baton } of cluster.nodes) {
          const run = await runBaton(['add', id, baton.consensusAddress, '--yes'], {
            BATON_RPC: leader.baton.rpcUrl,
          });
          expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
        }
        await Promise.all(cluster.nodes.map(({ baton }) => baton.kill()));
        await startAll();
        await expectHealthy(cluster);
        for (const node of cluster.nodes) {
          await waitFor('the new addresses', async () => {
            expect(await addressesAt(node)).toEqual(currentAddresses());
            return true;
          });
          expect(warningsOf(node)).toEqual([]);
        }
      },
    );
  },
);
