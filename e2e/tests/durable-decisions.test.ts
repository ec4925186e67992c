import { readFile, rename, rm, writeFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { LogLine } from '../cluster/baton-process.js';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import { expectHealthy } from './expect-healthy.js';
import { describeCluster, describeConductors, STEADY } from './describe-cluster.js';

/** Enough for a permitted start of a sequencer, which takes a few polls of the node. */
const LONG_ENOUGH_MS = 3000;

const directoryOf = ({ baton }: ClusterNode): string => path.join(baton.options.storageDir, baton.id);

const switchesFile = (node: ClusterNode): string => path.join(directoryOf(node), 'switches.json');

const status = ({ baton }: ClusterNode): Promise<ConductorStatus> => baton.call('conductor_status');

const restart = async ({ baton }: ClusterNode, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
  await baton.kill(signal);
  await baton.start();
};

const expectPaused = async (node: ClusterNode, pausedBy: string): Promise<void> => {
  await waitFor(`${node.id} to lead`, () => node.baton.call('conductor_leader'));
  await sleep(LONG_ENOUGH_MS);
  expect(await status(node)).toMatchObject({ paused: true, active: false, pausedBy });
  expect((await node.devnet.state()).active).toBe(false);
};

const sequencing = (node: ClusterNode): Promise<boolean> =>
  waitFor(`${node.id} to sequence`, async () => (await node.devnet.state()).active);

describeCluster('a pause outlives the process', { size: 1, formation: 'bootstrap' }, (cluster, scenario) => {
  const node = (): ClusterNode => cluster.nodes[0]!;

  scenario('the one that comes with --raft.bootstrap', async () => {
    const { baton } = node();
    await sequencing(node());
    await baton.kill('SIGTERM');
    expect((await node().devnet.state()).active).toBe(false);
    await rm(baton.options.storageDir, { recursive: true });
    await baton.start();
    await expectPaused(node(), 'bootstrap');
    const { pausedSinceMs } = await status(node());

    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await restart(node(), signal);
      await expectPaused(node(), 'bootstrap');
      expect((await status(node())).pausedSinceMs).toBe(pausedSinceMs);
    }
    const told = baton.log.findLast(({ msg }) => msg === 'the control loop is paused until conductor_resume');
    expect(told).toMatchObject({ by: 'bootstrap', since: new Date(pausedSinceMs!).toISOString() });

    await baton.call('conductor_resume');
    await sequencing(node());
    expect(await status(node())).not.toHaveProperty('pausedBy');
  });

  scenario('none, once it is resumed', async () => {
    await restart(node());
    await sequencing(node());
    expect(await node().baton.call('conductor_paused')).toBe(false);
  });

  scenario("that of an operator's conductor_pause", async () => {
    const { baton, devnet } = node();
    await baton.call('conductor_pause');
    await baton.kill();
    // A paused conductor stops no sequencer; op-node begins without one.
    await devnet.restart();
    await baton.start();
    await expectPaused(node(), 'conductor_pause');
    await baton.call('conductor_resume');
    await sequencing(node());
  });

  scenario('and the process starts paused when it cannot read the decision', async () => {
    const { baton } = node();
    await baton.kill('SIGTERM');
    await writeFile(switchesFile(node()), '{"format":1,"pau');
    await baton.start();
    await expectPaused(node(), 'unreadable-file');
    const told = baton.log.findLast(({ code }) => code === 'unreadable-file');
    expect(told).toMatchObject({ level: 50, file: switchesFile(node()) });
    await baton.call('conductor_resume');
    await restart(node());
    await sequencing(node());
  });

  scenario('a pause that cannot be written is an error, and the end of the process', async () => {
    const { baton } = node();
    const kept = await readFile(switchesFile(node()), 'utf8');
    await rm(switchesFile(node()));
    // Nothing can be renamed over a directory that is not empty.
    await mkdir(path.join(switchesFile(node()), 'in-the-way'), { recursive: true });
    await expect(baton.call('conductor_pause')).rejects.toThrow(switchesFile(node()));
    await waitFor('the process to end', () => baton.pid === undefined);
    await rename(switchesFile(node()), path.join(directoryOf(node()), 'moved-away'));
    await writeFile(switchesFile(node()), kept);
    await baton.start();
    await sequencing(node());
  });
});

describeCluster(
  'a founder whose disk is lost, with --raft.bootstrap left set',
  { formation: 'bootstrap', flags: STEADY.flags },
  (cluster, scenario) => {
    const founder = (): ClusterNode => cluster.nodes[0]!;

    scenario(
      'founds no second cluster while its own lives, even after many starts, and says so',
      async () => {
        await expectHealthy(cluster);
        const { clusterId } = await status(founder());
        await founder().baton.kill('SIGTERM');
        await rm(founder().baton.options.storageDir, { recursive: true });
        for (let start = 0; start < 2; start++) {
          const { log } = founder().baton;
          log.length = 0;
          await founder().baton.start();
          expect(await status(founder())).toMatchObject({ clusterId: null, paused: false });
          expect(await status(founder())).toMatchObject({ membership: { servers: [] } });
          expect(log.filter(({ code }) => code === 'living-cluster')).toMatchObject([
            { level: 50, clusterId },
          ]);
          await founder().baton.kill();
        }
        await founder().baton.start();
        const leader = await cluster.activeAmong(cluster.nodes);
        expect(leader).not.toBe(founder());
        await cluster.convergedAt(await cluster.moreBlocks(2));
      },
    );

    scenario('is taken back by conductor_addServerAsVoter, and sequences when told to', async () => {
      const { id, baton } = founder();
      const leader = await cluster.activeLeader();
      await leader.baton.call('conductor_addServerAsVoter', [id, baton.consensusAddress, 0]);
      await leader.baton.call('conductor_transferLeaderToServer', [id, baton.consensusAddress]);
      expect(await expectHealthy(cluster)).toBe(founder());
      await restart(founder());
      await expectHealthy(cluster);
      const servers = cluster.nodes.map((node) => expect.objectContaining({ id: node.id, suffrage: 0 }));
      expect(await status(founder())).toMatchObject({ paused: false, membership: { servers } });
    });
  },
);

describeConductors('a founder', { ids: ['a'] }, (conductors, scenario) => {
  scenario(
    'that is killed while it listens continues at its next start, and founds its cluster once',
    async () => {
      const flags = ['--raft.bootstrap'];
      const killed = conductors.start('a', flags).catch((error: Error) => error);
      const listens = ({ msg }: LogLine): boolean => msg?.startsWith('about to found a cluster') === true;
      const baton = await waitFor('the founder', () => conductors.batons.get('a'));
      await waitFor('it to listen', () => baton.log.some(listens));
      await baton.kill('SIGKILL');
      expect(await killed).toBeInstanceOf(Error);

      const again = await conductors.start('a', flags);
      expect(await conductors.leader()).toBe(again);
      const { clusterId } = await again.call<ConductorStatus>('conductor_status');
      expect(clusterId).not.toBeNull();
      await again.kill('SIGKILL');
      await again.start();
      expect(await conductors.leader()).toBe(again);
      const told = { clusterId, paused: true, pausedBy: 'bootstrap' };
      expect(await again.call('conductor_status')).toMatchObject(told);
    },
  );
});
