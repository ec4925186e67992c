import { beforeAll, expect } from '@jest/globals';
import { request } from 'undici';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

interface Answer {
  status: number;
  reason: string | undefined;
}

describeCluster('readiness and the leader endpoint', STEADY, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster));

  const ask = async ({ baton }: ClusterNode, path: string): Promise<Answer> => {
    const { statusCode, body } = await request(`${baton.rpcUrl}${path}`);
    return { status: statusCode, reason: ((await body.json()) as { reason?: string }).reason };
  };

  const ready = async (): Promise<string[]> => {
    const answers = await Promise.all(cluster.nodes.map((node) => ask(node, '/readyz')));
    return cluster.nodes.filter((_, at) => answers[at]!.status === 200).map(({ id }) => id);
  };

  const all = (): Promise<unknown> =>
    waitFor('all to be ready', async () => (await ready()).length === cluster.nodes.length);

  const unready = (node: ClusterNode, reason: string | RegExp): Promise<unknown> =>
    waitFor(`${node.id} not to be ready`, async () => {
      const answer = await ask(node, '/readyz');
      return answer.status === 503 && new RegExp(reason).test(answer.reason ?? '');
    });

  scenario('all members of a healthy cluster are ready, and one of them is the leader', async () => {
    await all();
    const leader = await cluster.activeLeader();
    for (const node of cluster.nodes) {
      const expected = node === leader ? { status: 200 } : { status: 503, reason: `${leader.id} leads` };
      expect(await ask(node, '/leader')).toMatchObject(expected);
    }
    await leader.baton.call('conductor_transferLeader');
    const next = await cluster.activeLeader();
    await waitFor('the endpoint to have moved', async () => (await ask(next, '/leader')).status === 200);
    expect((await ask(leader, '/leader')).status).toBe(503);
    await expectHealthy(cluster);
  });

  scenario('a member that is paused, or whose node hangs, could not take over, and says why', async () => {
    const [follower, other] = cluster.others(await cluster.activeLeader()) as [ClusterNode, ClusterNode];
    await all();
    await follower.devnet.control('hang', { target: 'execution' });
    await unready(follower, 'execution client: ');
    expect(await ready()).not.toContain(follower.id);
    expect(await ready()).toContain(other.id);
    await follower.devnet.control('resume', {});
    await all();
    await follower.baton.call('conductor_pause');
    await unready(follower, 'paused \\(by conductor_pause\\)');
    await follower.baton.call('conductor_resume');
    await all();
  });

  scenario('a returning member is ready only when it has caught up', async () => {
    const [follower] = cluster.others(await cluster.activeLeader()) as [ClusterNode];
    await follower.baton.kill();
    await cluster.moreBlocks(20);
    await follower.baton.start();
    const head = await waitFor('it to be ready', async () => {
      const leader = await cluster.activeLeader();
      const { number } = (await leader.devnet.state()).head;
      return (await ask(follower, '/readyz')).status === 200 ? number : undefined;
    });
    const { commitIndex, lastIndex } = await follower.baton.call<{ commitIndex: number; lastIndex: number }>(
      'conductor_status',
    );
    expect(lastIndex - commitIndex).toBeLessThanOrEqual(16);
    expect((await follower.devnet.state()).head.number).toBeGreaterThanOrEqual(head - 17);
  });

  scenario('without a majority, nobody is ready and nobody leads', async () => {
    const [survivor, ...lost] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    await Promise.all(lost.map(({ baton }) => baton.kill()));
    await unready(survivor, 'knows no leader|does not answer');
    await waitFor('nobody to lead', async () => (await ask(survivor, '/leader')).status === 503);
    await Promise.all(lost.map(({ baton }) => baton.start()));
    await all();
  });
});
