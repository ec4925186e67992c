import { beforeAll, expect } from '@jest/globals';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const baton = ({ baton }: ClusterNode, ...argv: string[]): Promise<BatonRun> =>
  runBaton([...argv, ...(argv[0] === 'status' ? [] : ['--yes'])], { BATON_RPC: baton.rpcUrl });

const expectDone = ({ code, stdout, stderr }: BatonRun, says: RegExp): void => {
  expect({ code, stderr: stderr.replace(/^(waiting|trying again): .*\n/gm, '') }).toEqual({
    code: 0,
    stderr: '',
  });
  expect(stdout).toMatch(says);
};

/** Codes of the problems that `baton status` finds at this member. */
const problems = async (node: ClusterNode): Promise<string[]> => {
  const { stdout } = await baton(node, 'status', '--json');
  return (JSON.parse(stdout) as { problems: { code: string }[] }).problems.map(({ code }) => code);
};

const pausedEverywhere = async (nodes: readonly ClusterNode[]): Promise<boolean> =>
  (await Promise.all(nodes.map(({ baton }) => baton.call('conductor_paused')))).every(
    (paused) => paused === true,
  );

describeCluster('sequencing by hand', STEADY, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster));

  scenario('10: force-active moves the sequencer of a paused cluster, and no block is lost', async () => {
    const from = await cluster.activeLeader();
    const [to] = cluster.others(from) as [ClusterNode, ClusterNode];
    const refused = await baton(from, 'force-active', to.id);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('(not-paused)') });
    expectDone(await baton(from, 'pause'), /: paused/);
    const before = (await from.devnet.state()).head.number;
    expectDone(
      await baton(from, 'force-active', to.id),
      new RegExp(`${from.id}: sequencer stopped at 0x[\\s\\S]*${to.id} sequences at block \\d+`),
    );
    expect((await cluster.activeLeader()).id).toBe(to.id);
    expect(await pausedEverywhere(cluster.nodes)).toBe(true);
    // Everybody follows the new one, so nothing was taken back.
    await cluster.convergedAt(before + 3);
    expectDone(await baton(from, 'resume'), /: resumed/);
    await cluster.allHealthy();
    await waitFor('nothing to be wrong', async () => (await problems(to)).length === 0);
  });

  scenario('10: override --sequence goes on without a quorum, and is undone', async () => {
    const leader = await cluster.activeLeader();
    const [dead, survivor] = cluster.others(leader) as [ClusterNode, ClusterNode];
    const early = await baton(survivor, 'override', survivor.id, '--sequence');
    expect(early).toMatchObject({ code: 1, stderr: expect.stringContaining('(leader-exists)') });

    await Promise.all([leader, dead].map((node) => cluster.killMachine(node)));
    await waitFor('no leader', async () => (await problems(survivor)).includes('quorum-lost'));
    const stands = (await survivor.devnet.state()).head.number;
    const run = await baton(survivor, 'override', survivor.id, '--sequence');
    expectDone(run, new RegExp(`${survivor.id} sequences at block \\d+ without consensus`));
    await waitFor('blocks', async () => (await survivor.devnet.state()).head.number > stands + 3);
    // Each action is in the status, under its own name.
    expect(await problems(survivor)).toEqual(
      expect.arrayContaining(['leader-overridden', 'node-overridden', 'uncommitted-blocks', 'paused']),
    );

    const removed = await baton(survivor, 'override', survivor.id, '--remove');
    expectDone(removed, /sequencer stopped at 0x[\s\S]*Restart its op-node now/);
    const { active, head } = await survivor.devnet.state();
    expect(active).toBe(false);
    expect(await problems(survivor)).toContain('node-overridden');
    // A restart of Baton alone does not clear it.
    await survivor.baton.kill();
    await survivor.baton.start();
    expect(await problems(survivor)).toContain('node-overridden');
    expect((await survivor.devnet.state()).head.number).toBe(head.number);
  });

  scenario('an op-node that still publishes by itself is not started, until it was restarted', async () => {
    const survivor = cluster.nodes.find(({ devnet }) => devnet.pid !== undefined)!;
    const others = cluster.others(survivor);
    await Promise.all(others.map((node) => cluster.restartMachine(node)));
    expectDone(await baton(survivor, 'resume'), /: resumed/);
    await cluster.activeAmong(others);
    expect(await problems(survivor)).toContain('node-overridden');
    await survivor.devnet.restart();
    await waitFor(
      'op-node to ask again',
      async () => !(await problems(survivor)).includes('node-overridden'),
    );
  });
});
