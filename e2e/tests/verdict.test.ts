import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { request } from 'undici';
import { Namespaces } from '../cluster/namespaces.js';
import type { ClusterNode, ClusterOptions } from '../cluster/process-cluster.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { pickPorts } from '../devnet/devnet-process.js';
import { rpc } from '../devnet/test-network.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

interface Problem {
  code: string;
  severity: string;
  member: string | null;
  message: string;
}

interface Verdict {
  level: string;
  problems: Problem[];
  voters: number;
  votersKeepingUp: number;
  failureTolerance: number;
}

const baton = ({ baton }: ClusterNode, ...argv: string[]): Promise<BatonRun> =>
  runBaton(argv, { BATON_RPC: baton.rpcUrl });

const status = async (node: ClusterNode): Promise<Verdict & { code: number }> => {
  const { code, stdout } = await baton(node, 'status', '--json');
  return { ...(JSON.parse(stdout) as Verdict), code };
};

const clusterz = async ({ baton }: ClusterNode): Promise<Verdict & { code: number }> => {
  const { statusCode, body } = await request(`${baton.rpcUrl}/clusterz`);
  return { ...((await body.json()) as Verdict), code: statusCode };
};

/** Waits until `baton status` at this member has a matching problem. */
const problemAt = (
  node: ClusterNode,
  code: string,
  member: string | null,
): Promise<Verdict & { code: number }> =>
  waitFor(`${code} of ${member}`, async () => {
    const verdict = await status(node);
    if (verdict.problems.some((problem) => problem.code === code && problem.member === member))
      return verdict;
    throw new Error(JSON.stringify(verdict.problems));
  });

const wellAt = (node: ClusterNode): Promise<unknown> =>
  waitFor('nothing to be wrong', async () => {
    const { code, problems } = await status(node);
    if (code !== 0) throw new Error(JSON.stringify(problems));
    return true;
  });

let metricsPorts: number[];

const withMetrics = async (): Promise<Partial<ClusterOptions>> => {
  metricsPorts = await pickPorts(3);
  const flagsOf = (at: number): string[] => ['--metrics.enabled', '--metrics.port', String(metricsPorts[at])];
  return { ...STEADY, flagsOf };
};

describeCluster('the verdict on a cluster of processes', withMetrics, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster).then(() => undefined));

  const gauges = async (node: ClusterNode): Promise<string> => {
    const { body } = await request(`http://127.0.0.1:${metricsPorts[cluster.nodes.indexOf(node)]}/metrics`);
    return body.text();
  };

  scenario('6: is the same for the command line, HTTP, JSON-RPC and metrics', async () => {
    const leader = await cluster.activeLeader();
    await wellAt(leader);
    expect(await clusterz(leader)).toMatchObject({ code: 200, level: 'ok', voters: 3, failureTolerance: 1 });
    const { verdict } = await leader.baton.call<{ verdict: Verdict }>('conductor_clusterStatus');
    expect(verdict).toMatchObject({ level: 'ok', problems: [], votersKeepingUp: 3 });
    expect(await gauges(leader)).toMatch(/^baton_cluster_level 0$/m);
    expect(await gauges(leader)).toMatch(/^baton_cluster_failure_tolerance 1$/m);
  });

  scenario('3: a newcomer that already has a vote replaces nobody', async () => {
    const leader = await cluster.activeLeader();
    const [one, other] = cluster.others(leader) as [ClusterNode, ClusterNode];
    const argv = ['replace', one.id, other.id, other.baton.consensusAddress];
    const { code, stderr } = await baton(leader, ...argv, '--yes');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('(already-a-voter)') });
    await expect(leader.baton.call('conductor_replaceServer', [...argv.slice(1), 0])).rejects.toThrow(
      `${other.id} is a voter already`,
    );
    expect(await status(leader)).toMatchObject({ voters: 3 });
  });

  scenario('1: a wiped member is not a healthy follower, and the remedy repairs it', async () => {
    const leader = await cluster.activeLeader();
    const wiped = cluster.others(leader)[0]!;
    await wiped.baton.kill();
    await rm(wiped.baton.options.storageDir, { recursive: true });
    await wiped.baton.start();
    const found = { level: 'degraded', votersKeepingUp: 2, failureTolerance: 0 };
    expect(await problemAt(leader, 'wiped-disk', wiped.id)).toMatchObject({ code: 1, ...found });
    expect(await clusterz(leader)).toMatchObject({ code: 200, ...found });
    expect(await gauges(leader)).toMatch(
      /^baton_cluster_problems\{code="wiped-disk",severity="degraded"\} 1$/m,
    );
    expect(await gauges(leader)).toMatch(/^baton_cluster_level 1$/m);
    const added = await baton(leader, 'add', wiped.id, wiped.baton.consensusAddress, '--yes');
    expect(added).toMatchObject({ code: 0, stderr: '' });
    await expectHealthy(cluster);
    await wellAt(leader);
  });

  scenario('2: an override that was left on op-node is critical, and ends with its restart', async () => {
    const leader = await cluster.activeLeader();
    expect(await rpc(leader.devnet.nodeRpc, 'admin_overrideLeader')).toMatchObject({ result: null });
    const found = await problemAt(leader, 'uncommitted-blocks', leader.id);
    expect(found).toMatchObject({ code: 2, level: 'critical' });
    expect(await clusterz(leader)).toMatchObject({ code: 503, level: 'critical' });
    await leader.devnet.restart();
    await cluster.activeLeader();
    await cluster.moreBlocks(5);
    await wellAt(leader);
  });
});

const lacks = Namespaces.lacks();
if (lacks !== undefined) console.warn(`verdict.test.ts skips a member that is cut off: ${lacks}`);
const describeHere = lacks === undefined ? describeCluster : describeCluster.skip;
let network: Namespaces;

const onNetwork = (): Partial<ClusterOptions> => {
  network = Namespaces.create(3);
  return { ...STEADY, machines: network.machines };
};

describeHere(
  'the verdict where the leader and a follower do not reach each other',
  onNetwork,
  (cluster, scenario) => {
    beforeAll(() => expectHealthy(cluster).then(() => undefined));
    // The cluster, which lives in it, has been stopped before.
    afterAll(() => network?.remove());

    scenario('1: the follower is cut off, even if it answers everybody else', async () => {
      const leader = await cluster.activeLeader();
      const [follower, other] = cluster.others(leader) as [ClusterNode, ClusterNode];
      const [from, to] = [leader, follower].map((node) => cluster.nodes.indexOf(node)) as [number, number];
      network.lose(from, to);
      network.lose(to, from);
      const found = await problemAt(other, 'cut-off', follower.id);
      expect(found).toMatchObject({ level: 'degraded', votersKeepingUp: 2, failureTolerance: 0 });
      expect(found.problems.some(({ code }) => code === 'no-answer')).toBe(false);
      network.heal();
      await expectHealthy(cluster);
      await wellAt(other);
    });
  },
);
