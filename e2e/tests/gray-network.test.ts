import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { NameServer, type Mood } from '../cluster/name-server.js';
import { Namespaces } from '../cluster/namespaces.js';
import type { ClusterNode, ClusterOptions, ProcessCluster } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const lacks = Namespaces.lacks({ filters: true });
if (lacks !== undefined) console.warn(`gray-network.test.ts skips: ${lacks}`);

const describeHere = lacks === undefined ? describeCluster : describeCluster.skip;

/** Enough for the leader to have its own commits, over its own connections. */
const SOME_BLOCKS = 5;
const SMALL_PACKET_BYTES = 1200;

let network: Namespaces;
let names: NameServer | undefined;

/** Hands over, and waits until the next leader commits blocks. */
async function handOver(cluster: ProcessCluster): Promise<ClusterNode> {
  const before = await cluster.activeLeader();
  await before.baton.call('conductor_transferLeader');
  const next = await waitFor('another active leader', async () => {
    const leader = await cluster.activeLeader();
    return leader !== before && leader;
  });
  await cluster.moreBlocks(SOME_BLOCKS);
  return next;
}

async function makeLeader(cluster: ProcessCluster, { id }: ClusterNode): Promise<void> {
  const { baton } = await cluster.leader();
  const { servers } = await baton.call<{ servers: { id: string; addr: string }[] }>(
    'conductor_clusterMembership',
  );
  const address = servers.find((server) => server.id === id)?.addr;
  await baton.call('conductor_transferLeaderToServer', [id, address]);
}

const onNetwork = async (): Promise<Partial<ClusterOptions>> => {
  network = Namespaces.create(3);
  return { ...STEADY, machines: network.machines, payloadBytes: 4 * SMALL_PACKET_BYTES };
};

describeHere('a cluster of three whose network is half broken', onNetwork, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster).then(() => undefined));
  afterEach(() => network.heal());
  afterAll(() => network?.remove());

  scenario('transfers leadership over open connections while no new ones can be made', async () => {
    network.loseNewConnections(cluster.nodes.map(({ baton }) => baton.options.consensusPort));
    await handOver(cluster);
    await handOver(cluster);
    network.heal();
    await expectHealthy(cluster);
  });

  scenario(
    'reports that a member that gets no large packets takes no entries, and where they get stuck',
    async () => {
      const leader = await cluster.activeLeader();
      const [deaf] = cluster.others(leader) as [ClusterNode];
      const logged = leader.baton.log.length;
      network.loseLarge(cluster.nodes.indexOf(leader), cluster.nodes.indexOf(deaf), SMALL_PACKET_BYTES);
      const line = await waitFor('the leader to say so', () =>
        leader.baton.log.slice(logged).find(({ msg }) => msg === 'a peer answers but accepts no entries'),
      );
      expect(line).toMatchObject({ peer: deaf.id, failure: { phase: 'send' } });
      const height = await cluster.moreBlocks(SOME_BLOCKS);
      network.heal();
      await cluster.convergedAt(height);
      await expectHealthy(cluster);
    },
  );
});

const onNamedNetwork = async (): Promise<Partial<ClusterOptions>> => {
  network = Namespaces.create(3);
  const nameOf = (index: number): string => `node-${index}.test`;
  const addresses = new Map(network.machines.map(({ host }, at) => [nameOf(at), host]));
  names = await NameServer.start(network.here, addresses);
  await network.resolveAt(network.here);
  return { ...STEADY, machines: network.machines, nameOf };
};

describeHere('a cluster of three whose members have names', onNamedNetwork, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster).then(() => undefined));
  afterAll(async () => {
    await names?.stop();
    network?.remove();
  });

  const goesOn = (what: string, mood: Mood): void =>
    scenario(`transfers leadership and replaces a dead leader while its name server ${what}`, async () => {
      names!.mood = mood;
      const leader = await handOver(cluster);
      await leader.baton.kill('SIGKILL');
      await cluster.activeAmong(cluster.others(leader));
      await cluster.moreBlocks(SOME_BLOCKS);
      await leader.baton.start();
      names!.mood = 'good';
      await expectHealthy(cluster);
      // Once it has found the others, it can lead them again.
      await waitFor(`${leader.id} to lead`, async () => {
        const leads = (await cluster.activeLeader()) === leader;
        if (!leads) await makeLeader(cluster, leader);
        return leads;
      });
      await cluster.moreBlocks(SOME_BLOCKS);
    });

  goesOn('takes five seconds', 'slow');
  goesOn('answers half of the questions', 'half');
  goesOn('is silent', 'silent');
});
