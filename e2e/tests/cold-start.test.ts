import { expect } from '@jest/globals';
import { lostOrReplaced } from '../cluster/published-blocks.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster } from './describe-cluster.js';

const BLOCKS_BEHIND = 60;

describeCluster(
  'a new cluster with an empty log, whose every head is older than the health limit',
  () => ({
    blockTimeMs: 1000,
    genesisTime: Math.floor(Date.now() / 1000) - BLOCKS_BEHIND,
    // Only Baton's own reasons may move leadership here, not a busy machine.
    flags: ['--raft.heartbeat-timeout', '2s'],
  }),
  (cluster, scenario) => {
    scenario('starts the sequencer of one leader without help, and leadership does not move', async () => {
      await waitFor('the chain to have caught up with the clock', async () => {
        const states = await Promise.all(cluster.nodes.map(({ devnet }) => devnet.state()));
        const now = Math.floor(Date.now() / 1000);
        return states.every(({ head }) => head.timestamp >= now - 2);
      });
      const leader = await cluster.activeLeader();
      await cluster.allHealthy();
      expect(await lostOrReplaced(cluster)).toEqual([]);

      const logged = (text: string) =>
        cluster.nodes.flatMap(({ id, baton }) => baton.log.filter(({ msg }) => msg === text).map(() => id));
      expect(logged('leadership complete')).toEqual([leader.id]);
      expect(logged('sequencer started')).toEqual([leader.id]);
      expect(logged('leadership transfer')).toEqual([]);
    });
  },
);
