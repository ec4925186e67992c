import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { ClusterNode, ClusterOptions } from '../cluster/process-cluster.js';
import { Namespaces } from '../cluster/namespaces.js';
import { waitFor } from '../cluster/wait-for.js';
import { expectHealthy } from './expect-healthy.js';
import { describeCluster } from './describe-cluster.js';

const lacks = Namespaces.lacks();
if (lacks !== undefined) console.warn(`partition.test.ts skips: ${lacks}`);

/** Longer than the election timeout and the lease, several times over. */
const BLOCKS_OF_A_PARTITION = 10;

const describeHere = lacks === undefined ? describeCluster : describeCluster.skip;

let network: Namespaces;

const onNetwork = (): Partial<ClusterOptions> => {
  network = Namespaces.create(3);
  return { machines: network.machines };
};

/** No connection is refused or closed; packets are lost. Each scenario ends healed and healthy. */
describeHere('a cluster of three in a network that loses what is sent', onNetwork, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster).then(() => undefined));
  // After a failure, everything arrives again for the next scenario.
  afterEach(() => network.heal());
  // The cluster, which lives in it, has been stopped before.
  afterAll(() => network?.remove());

  const healed = (): Promise<ClusterNode> => {
    network.heal();
    return expectHealthy(cluster);
  };

  const position = (node: ClusterNode): number => cluster.nodes.indexOf(node);

  const stopped = (node: ClusterNode): Promise<true> =>
    waitFor(`${node.id} to stop its sequencer`, async () => !(await node.devnet.state()).active);

  const termOf = async ({ baton }: ClusterNode): Promise<number> =>
    (await baton.call<{ term: number }>('conductor_status')).term;

  /** Cuts the leader off in one way. The others go on, and it stops by itself. */
  const leaderIsLost = (name: string, cut: (leader: number, others: number[]) => void): void =>
    scenario(name, async () => {
      const leader = await cluster.activeLeader();
      const others = cluster.others(leader);
      cut(position(leader), others.map(position));
      const successor = await cluster.activeAmong(others);
      await stopped(leader);
      expect(await leader.baton.call('conductor_leader')).toBe(false);
      await cluster.moreBlocks(BLOCKS_OF_A_PARTITION);
      expect((await cluster.activeLeader()).id).toBe(successor.id);
      await healed();
    });

  leaderIsLost('goes on without a leader that is cut off, which stops', (leader) => network.isolate(leader));
  leaderIsLost('goes on without a leader whom nobody hears, which stops', (leader, others) =>
    others.forEach((other) => network.lose(leader, other)),
  );
  leaderIsLost('goes on without a leader who hears nobody, which stops', (leader, others) =>
    others.forEach((other) => network.lose(other, leader)),
  );

  /** A loss that is not a reason for another leader, neither meanwhile nor afterwards. */
  const leaderStays = (name: string, cut: (leader: number, others: number[]) => void): void =>
    scenario(name, async () => {
      const leader = await cluster.activeLeader();
      const term = await termOf(leader);
      cut(position(leader), cluster.others(leader).map(position));
      await cluster.moreBlocks(BLOCKS_OF_A_PARTITION);
      expect((await healed()).id).toBe(leader.id);
      expect(await termOf(leader)).toBe(term);
    });

  leaderStays('keeps its leader when a follower is cut off', (_leader, [follower]) =>
    network.isolate(follower!),
  );
  leaderStays('keeps its leader when only one of two followers can reach it', (leader, [follower]) => {
    network.lose(leader, follower!);
    network.lose(follower!, leader);
  });
  leaderStays('keeps its leader when the followers cannot reach each other', (_leader, [one, other]) => {
    network.lose(one!, other!);
    network.lose(other!, one!);
  });

  scenario('stops when no member reaches another, and goes on when they do', async () => {
    const leader = await cluster.activeLeader();
    for (const at of network.machines.keys()) network.isolate(at);
    await stopped(leader);
    const height = await cluster.height();
    const logged = cluster.nodes.map(({ baton }) => baton.log.length);
    await waitFor('every node to miss its peers', () =>
      cluster.nodes.every(({ baton }, at) =>
        baton.log.slice(logged[at]).some(({ msg }) => msg === 'a peer does not answer'),
      ),
    );
    for (const { baton } of cluster.nodes) expect(await baton.call('conductor_leader')).toBe(false);
    expect(await cluster.height()).toBe(height);
    await healed();
  });
});
