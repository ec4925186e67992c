import { rm } from 'node:fs/promises';
import { expect } from '@jest/globals';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const baton = ({ baton }: ClusterNode, ...argv: string[]): Promise<BatonRun> =>
  runBaton(argv, { BATON_RPC: baton.rpcUrl });

const status = ({ baton }: ClusterNode): Promise<ConductorStatus> => baton.call('conductor_status');

/** Waits until all of these report this pause; `false`: none is in force. */
const untilAll = (nodes: readonly ClusterNode[], pause: Partial<ConductorStatus> | false): Promise<unknown> =>
  waitFor(`all to be ${pause ? 'paused' : 'resumed'}`, async () => {
    const all = await Promise.all(nodes.map(status));
    if (pause === false) expect(all.map(({ paused }) => paused)).not.toContain(true);
    else for (const each of all) expect(each).toMatchObject({ paused: true, ...pause });
    return true;
  });

describeCluster('maintenance of a cluster of processes', STEADY, (cluster, scenario) => {
  const all = (): readonly ClusterNode[] => cluster.nodes;
  const byAlice = { pausedBy: 'cluster', pausedOwner: 'alice', pausedReason: 'L1 incident' } as const;

  scenario(
    '8: a pause of the cluster is visible to all its members, and survives all their processes',
    async () => {
      await expectHealthy(cluster);
      const leader = await cluster.activeLeader();
      const paused = await baton(leader, 'pause', '--owner', 'alice', '--reason', 'L1 incident', '--yes');
      expect(paused).toMatchObject({ code: 0 });
      await untilAll(all(), byAlice);
      for (const { baton } of all()) await baton.kill('SIGKILL');
      // A paused conductor stops no sequencer; op-nodes begin without one.
      for (const { devnet } of all()) await devnet.restart();
      for (const { baton } of all()) await baton.start();
      await untilAll(all(), byAlice);
      await waitFor('a leader', () => Promise.any(all().map(leads)));
      const { code, stdout } = await baton(all()[0]!, 'status');
      expect(code).not.toBe(0);
      expect(stdout.split('\n')[0]).toMatch(/^PAUSED: the cluster is paused, alice: L1 incident, since 20/);
      expect(await Promise.all(all().map(async ({ devnet }) => (await devnet.state()).active))).not.toContain(
        true,
      );
    },
  );

  scenario('a member whose disk is lost learns it from the log before it acts', async () => {
    const leader = await waitFor('a leader', () => Promise.any(all().map(leads)));
    const wiped = all().find((node) => node !== leader)!;
    await wiped.baton.kill('SIGTERM');
    await rm(wiped.baton.options.storageDir, { recursive: true });
    await wiped.baton.start();
    await baton(leader, 'add', wiped.id, wiped.baton.consensusAddress, '--yes');
    await untilAll([wiped], byAlice);
    const { log } = wiped.baton;
    expect(log.filter(({ msg }) => msg === 'sequencer started' || msg === 'sequencer stopped')).toEqual([]);
  });

  scenario('conductor_resume does not end it, and names the command that does', async () => {
    await expect(all()[0]!.baton.call('conductor_resume')).rejects.toThrow(
      'the whole cluster is paused by alice (L1 incident): resume the cluster with baton resume',
    );
    expect(await baton(all()[0]!, 'resume', '--yes')).toMatchObject({ code: 0 });
    await untilAll(all(), false);
    await expectHealthy(cluster);
  });

  scenario('8: --for ends by itself, on every member and in the log', async () => {
    const { code } = await baton(await cluster.activeLeader(), 'pause', '--for', '2s', '--yes');
    expect(code).toBe(0);
    await untilAll(all(), { pausedBy: 'cluster' });
    await untilAll(all(), false);
    await waitFor('the log to know', async () => {
      for (const node of all()) expect((await status(node)).maintenance.cluster).toBeNull();
      return true;
    });
    await expectHealthy(cluster);
  });

  scenario(
    '9: a pause without a quorum holds on the node, is recorded later, and ends only by its own resume',
    async () => {
      const [alone, ...others] = all() as [ClusterNode, ...ClusterNode[]];
      for (const { baton } of others) await baton.kill('SIGKILL');
      await waitFor('the quorum to be lost', async () => (await status(alone)).leader === null);
      const paused = await baton(alone, 'pause', '--owner', 'bob', '--reason', 'by hand', '--yes');
      expect(paused.code).toBe(0);
      expect(paused.stderr).toContain('each member that answers is paused by itself');
      const byBob = { pausedBy: 'conductor_pause', pausedOwner: 'bob', pausedReason: 'by hand' } as const;
      await untilAll([alone], byBob);

      for (const { baton } of others) await baton.start();
      await waitFor('the others to know', async () => {
        for (const node of others) {
          const { members } = (await status(node)).maintenance;
          expect(members).toMatchObject({ [alone.id]: { who: { owner: 'bob', reason: 'by hand' } } });
        }
        return true;
      });
      await untilAll([alone], byBob);
      await untilAll(others, false);

      const [other] = others as [ClusterNode];
      await baton(other, 'pause', '--yes');
      await other.baton.call('conductor_endPause', [{ member: null }]);
      await untilAll(others, false);
      await untilAll([alone], byBob);
      expect(await baton(other, 'resume', alone.id, '--yes')).toMatchObject({ code: 0 });
      await untilAll(all(), false);
      await expectHealthy(cluster);
    },
  );

  async function leads(node: ClusterNode): Promise<ClusterNode> {
    if (await node.baton.call<boolean>('conductor_leader')) return node;
    throw new Error(`${node.id} does not lead`);
  }
});
