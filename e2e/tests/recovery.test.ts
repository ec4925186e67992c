import { rename, rm } from 'node:fs/promises';
import { beforeAll, expect } from '@jest/globals';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';

const baton = (...argv: string[]): Promise<BatonRun> => runBaton(argv);

interface InspectionJson {
  ok: boolean;
  identity: { clusterId: string; epoch?: number };
  last: { index: number };
  chain: { head: { number: number; hash: string } };
}

describeCluster('two of three disks are lost', STEADY, (cluster, scenario) => {
  let survivor: ClusterNode;
  let lost: [ClusterNode, ClusterNode];
  let before: InspectionJson;
  const directoryOf = (node: ClusterNode): string => node.baton.options.storageDir;
  const keptDirectory = (node: ClusterNode): string => `${directoryOf(node)}-kept`;

  beforeAll(async () => {
    survivor = await cluster.activeLeader();
    lost = cluster.others(survivor) as [ClusterNode, ClusterNode];
    await cluster.convergedAt(5);
  });

  scenario('a running node is not inspected', async () => {
    const { code, stderr } = await baton('inspect', directoryOf(survivor));
    expect(stderr).toContain('is in use by another process');
    expect(code).toBe(1);
  });

  scenario('the survivor cannot go on, but its directory is sound and names its head', async () => {
    await Promise.all(lost.map((node) => node.baton.kill('SIGKILL')));
    // One of the two disks turns up again later.
    await rename(directoryOf(lost[0]), keptDirectory(lost[0]));
    await rm(directoryOf(lost[1]), { recursive: true });
    await survivor.baton.kill('SIGKILL');

    const { code, stdout } = await baton('inspect', directoryOf(survivor), '--json');
    before = JSON.parse(stdout) as InspectionJson;
    expect({ code, ok: before.ok }).toEqual({ code: 0, ok: true });
    const { number, hash } = before.chain.head;
    expect(number).toBeGreaterThanOrEqual(5);
    const blocks = await survivor.devnet.blocks(1);
    // The last block may have been committed and not yet imported.
    const imported = blocks.find((block) => block.number === number);
    if (imported) expect(imported.hash).toBe(hash);
    expect(blocks.at(-1)!.number).toBeLessThanOrEqual(number);
  });

  scenario('it becomes a cluster of its own, after a confirmation', async () => {
    const asked = await baton('recover', directoryOf(survivor));
    expect(asked).toMatchObject({ code: 3, stderr: expect.stringContaining('nothing was changed') });
    expect(asked.stdout).toContain(`block ${before.chain.head.number} ${before.chain.head.hash}`);
    for (const { baton: other } of lost)
      expect(asked.stdout).toContain(`${other.id}@${other.consensusAddress}`);
    expect((await baton('recover', directoryOf(survivor), '--yes')).code).toBe(0);

    const after = JSON.parse(
      (await baton('inspect', directoryOf(survivor), '--json')).stdout,
    ) as InspectionJson;
    expect(after).toMatchObject({ ok: true, identity: { epoch: 1 }, chain: before.chain });
    expect(after.identity.clusterId).not.toBe(before.identity.clusterId);

    await survivor.baton.start();
    expect(await cluster.activeLeader()).toBe(survivor);
    await cluster.convergedAt(before.chain.head.number + 3);
  });

  scenario('a node of the old cluster is refused', async () => {
    const [old] = lost;
    await rename(keptDirectory(old), directoryOf(old));
    await old.baton.start();
    await expect(
      survivor.baton.call('conductor_addServerAsVoter', [old.id, old.baton.consensusAddress, 0]),
    ).rejects.toThrow(/cluster/);
    expect(await old.baton.call('conductor_leader')).toBe(false);
    const head = (await survivor.devnet.state()).head.number;
    await cluster.convergedAt(head + 3);
    await old.baton.kill('SIGKILL');
    await rm(directoryOf(old), { recursive: true });
  });

  scenario('with two fresh nodes it is a cluster of three again', async () => {
    for (const node of lost) {
      await node.baton.start();
      await survivor.baton.call('conductor_addServerAsVoter', [node.id, node.baton.consensusAddress, 0]);
    }
    const head = (await survivor.devnet.state()).head.number;
    await cluster.convergedAt(head + 3);
    await cluster.allHealthy();
    await cluster.killMachine(survivor);
    const next = await waitFor('another leader', () => cluster.activeLeader().catch(() => undefined));
    expect(lost).toContain(next);
    const { head: later } = await next.devnet.state();
    await cluster.convergedAt(later.number + 3);
  });
});
