import { rm } from 'node:fs/promises';
import { beforeAll, expect } from '@jest/globals';
import type { ClusterMembership } from '../../rpc/server/conductor-api.js';
import type { BatonProcess } from '../cluster/baton-process.js';
import type { ClusterNode, ClusterOptions } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import { childOf, genesisBlock } from '../devnet/block.js';
import type { PayloadEnvelope } from '../devnet/payload.js';
import { expectHealthy } from './expect-healthy.js';
import { describeCluster, describeConductors, STEADY } from './describe-cluster.js';

const membership = (baton: BatonProcess): Promise<ClusterMembership> =>
  baton.call('conductor_clusterMembership');

const says = (baton: BatonProcess, text: string): Promise<true> =>
  waitFor(`${baton.id} to say "${text}"`, () =>
    baton.log.some((line) => JSON.stringify(line).includes(text)),
  );

/** Waits until these nodes know exactly these members; `(id)` is one without a vote. */
const agree = (batons: readonly BatonProcess[], members: string): Promise<true> =>
  waitFor(`all to know the members ${members}`, async () => {
    const views = await Promise.all(batons.map(membership));
    const shown = views.map(({ servers }) =>
      (servers ?? []).map(({ id, suffrage }) => (suffrage === 0 ? id : `(${id})`)).join(' '),
    );
    return shown.every((text) => text === members);
  });

const BOOTSTRAP: Partial<ClusterOptions> = {
  formation: 'bootstrap',
  flags: ['--raft.heartbeat-timeout', '1s'],
  // A removed node no longer gets blocks from its Baton.
  asksPeers: true,
};

describeCluster(
  "op-conductor's way: bootstrap one, add the others, resume",
  BOOTSTRAP,
  (cluster, scenario) => {
    const batons = (): BatonProcess[] => cluster.nodes.map(({ baton }) => baton);
    const everybody = 'sequencer-0 sequencer-1 sequencer-2';

    scenario('touches no sequencer before conductor_resume', async () => {
      await expectHealthy(cluster);
      const founder = cluster.nodes[0]!.baton;
      const told = founder.log.map(({ msg }) => msg);
      expect(told).toContain('founded a cluster of one; the control loop is paused until conductor_resume');
      const resumed = cluster.nodes.map(({ baton }) =>
        baton.log.find(({ msg }) => msg === 'control loop resumed'),
      );
      const started = cluster.nodes.map(({ baton }) =>
        baton.log.find(({ msg }) => msg === 'sequencer started'),
      );
      const first = (lines: typeof resumed): string => lines.map((line) => String(line?.['time'])).sort()[0]!;
      expect(first(resumed) < first(started)).toBe(true);
      await agree(batons(), everybody);
    });

    scenario('a removed follower stays away, and comes back without and then with a vote', async () => {
      const leader = await expectHealthy(cluster);
      const [away] = cluster.others(leader) as [ClusterNode];
      const { id } = away;
      const address = away.baton.consensusAddress;
      const { version } = await membership(leader.baton);
      await expect(leader.baton.call('conductor_removeServer', [id, version + 1])).rejects.toThrow(
        `configuration changed since ${version + 1} (latest is ${version})`,
      );
      await leader.baton.call('conductor_removeServer', [id, version]);
      await agree(
        batons(),
        everybody
          .split(' ')
          .filter((other) => other !== id)
          .join(' '),
      );
      await leader.baton.call('conductor_removeServer', [id, 0]);
      await expectHealthy(cluster);

      await leader.baton.call('conductor_addServerAsNonvoter', [id, address, 0]);
      await agree(batons(), everybody.replace(id, `(${id})`));
      await expect(leader.baton.call('conductor_transferLeaderToServer', [id, address])).rejects.toThrow(
        `${id} is not a voter`,
      );
      await leader.baton.call('conductor_addServerAsVoter', [id, address, 0]);
      await agree(batons(), everybody);
      await leader.baton.call('conductor_transferLeaderToServer', [id, address]);
      expect((await expectHealthy(cluster)).id).toBe(away.id);
    });

    scenario('a leader that removes itself stops its sequencer, and another goes on', async () => {
      const removed = await expectHealthy(cluster);
      await removed.baton.call('conductor_removeServer', [removed.id, 0]);
      const successor = await expectHealthy(cluster);
      expect(successor.id).not.toBe(removed.id);
      expect((await removed.devnet.state()).active).toBe(false);
      await successor.baton.call('conductor_addServerAsVoter', [
        removed.id,
        removed.baton.consensusAddress,
        0,
      ]);
      await agree(batons(), everybody);
    });

    scenario('refuses servers that do not answer, or have a different id', async () => {
      const leader = await expectHealthy(cluster);
      const [one, two] = cluster.others(leader) as [ClusterNode, ClusterNode];
      const add = (at: ClusterNode, id: string, address: string): Promise<unknown> =>
        at.baton.call('conductor_addServerAsVoter', [id, address, 0]);
      await expect(add(leader, 'new', '127.0.0.1:1')).rejects.toThrow('cannot reach new at 127.0.0.1:1');
      await expect(add(leader, one.id, two.baton.consensusAddress)).rejects.toThrow(
        `the node at ${two.baton.consensusAddress} is ${two.id}, not ${one.id}`,
      );
      await expect(add(one, two.id, two.baton.consensusAddress)).rejects.toThrow('node is not the leader');
      await agree(batons(), everybody);
    });

    scenario('comes back from its disks after a stop of all Batons', async () => {
      await expectHealthy(cluster);
      const { version } = await membership(cluster.nodes[0]!.baton);
      for (const { baton } of cluster.nodes) expect(await baton.kill('SIGTERM')).toBe(0);
      await Promise.all(batons().map((baton) => baton.start()));
      await agree(batons(), everybody);
      expect((await membership(cluster.nodes[0]!.baton)).version).toBe(version);
      for (const baton of batons()) await baton.call('conductor_resume');
      await expectHealthy(cluster);
    });
  },
);

describeConductors('--raft.peers', { ids: ['a', 'b', 'c'] }, (conductors, scenario) => {
  /** Only the test moves leadership, not a busy machine. */
  const FLAGS = ['--paused', ...STEADY.flags];
  const { ids } = conductors;
  let head: PayloadEnvelope;

  beforeAll(() => {
    head = genesisBlock(901, Math.floor(Date.now() / 1000));
  });

  const start = (id: string, peers: readonly string[] = ids): Promise<BatonProcess> =>
    conductors.start(id, [...FLAGS, '--raft.peers', conductors.peers(peers)]);

  const all = (): BatonProcess[] => ids.map((id) => conductors.get(id));

  /** Commits one more block, which takes a majority. */
  const commit = async (): Promise<void> => {
    const block = childOf(head);
    await waitFor('a block to be committed', async () => {
      await (await conductors.leader()).call('conductor_commitUnsafePayload', [block]);
      return true;
    });
    head = block;
  };

  scenario('forms nothing while the lists differ, and says so', async () => {
    await Promise.all([start('a'), start('b'), start('c', ['a', 'c'])]);
    await says(
      conductors.get('a'),
      'c was given a different list: --raft.peers must be the same on all nodes',
    );
    await says(
      conductors.get('b'),
      'c was given a different list: --raft.peers must be the same on all nodes',
    );
    await says(
      conductors.get('c'),
      'a was given a different list: --raft.peers must be the same on all nodes',
    );
    for (const baton of all()) expect(await membership(baton)).toEqual({ servers: null, version: 0 });
    expect(await conductors.leaders()).toEqual([]);
  });

  scenario('forms the cluster as soon as they are the same', async () => {
    await start('c');
    await agree(all(), 'a b c');
    expect((await membership(conductors.get('a'))).servers?.map(({ addr }) => addr)).toEqual(
      ids.map((id) => conductors.address(id)),
    );
    await commit();
  });

  scenario('a node whose disk was wiped neither votes nor rejoins until it is added again', async () => {
    const leader = await conductors.leader();
    const [wiped, third] = ids.filter((id) => id !== leader.id) as [string, string];
    await conductors.get(wiped).kill();
    await rm(conductors.storageDir(wiped), { recursive: true });
    await start(wiped);
    await says(
      conductors.get(wiped),
      'already belongs to a cluster: add this node with conductor_addServerAsVoter',
    );
    await says(leader, 'remove the member and add it again');

    await conductors.get(third).kill();
    // Reported after a second of candidacies.
    const isTold = (): boolean =>
      leader.log.some(({ msg, peer }) => msg === 'a peer does not answer' && peer === third);
    await waitFor('some elections', isTold);
    expect(await conductors.leaders()).toEqual([]);
    expect(await membership(conductors.get(wiped))).toEqual({ servers: null, version: 0 });

    await conductors.get(third).start();
    const again = await conductors.leader();
    await again.call('conductor_addServerAsVoter', [wiped, conductors.address(wiped), 0]);
    await agree(all(), 'a b c');
    await conductors.get(third).kill();
    await commit();
    await conductors.get(third).start();
  });

  scenario('restarts from the disks, even with a different list', async () => {
    await agree(all(), 'a b c');
    await commit();
    await Promise.all(all().map((baton) => baton.kill()));
    await Promise.all([start('a'), conductors.start('b', FLAGS), start('c', ['a', 'c'])]);
    await agree(all(), 'a b c');
    await commit();
  });
});

const TWO = { ids: ['a', 'b'] };

describeConductors('a bind address and an advertised one', TWO, (conductors, scenario) => {
  scenario('may differ, and the advertised one may be a name', async () => {
    const named = (id: string): string => conductors.address(id).replace('127.0.0.1', 'localhost');
    const a = await conductors.start('a', ['--raft.bootstrap', '--consensus.advertised', named('a')]);
    const b = await conductors.start('b', ['--paused', '--consensus.advertised', named('b')]);
    await conductors.leader();
    expect(await a.call('conductor_paused')).toBe(true);
    await a.call('conductor_addServerAsVoter', ['b', named('b'), 0]);
    await agree([a, b], 'a b');
    expect((await membership(b)).servers?.map(({ addr }) => addr)).toEqual([named('a'), named('b')]);
  });
});
