import { afterAll, beforeAll, expect } from '@jest/globals';
import { readCertificate } from '../../raft/index.js';
import { securedBy, TestAuthority } from '../../raft/transport/testing/certificates.js';
import { TransportNode } from '../../raft/transport/testing/transport-node.js';
import { BatonProcess, type LogLine } from '../cluster/baton-process.js';
import { CredentialFolder } from '../cluster/credential-folder.js';
import type { ClusterNode, ProcessCluster } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const IDS = ['sequencer-0', 'sequencer-1', 'sequencer-2'];
const [OLD, NEW] = ['1', '2'].map((digit) => digit.repeat(64)) as [string, string];

let folder: CredentialFolder;
beforeAll(async () => {
  folder = await CredentialFolder.make();
});
afterAll(() => folder.remove());

const termOf = async ({ baton }: ClusterNode): Promise<number> =>
  (await baton.call<{ term: number }>('conductor_status')).term;

const lines = ({ baton }: { baton: BatonProcess }, test: (line: LogLine) => boolean): LogLine[] =>
  baton.log.filter(test);

const withCode = (code: string) => (line: LogLine) => line['code'] === code;

const CHANGED = 'credentials of the consensus port changed: the new ones are in use';

/** Changes files on every member, and waits until all of them use the new ones. */
async function changeOnAll(cluster: ProcessCluster, change: (id: string) => Promise<unknown>): Promise<void> {
  const changes = (node: ClusterNode): number => lines(node, ({ msg }) => msg === CHANGED).length;
  const before = cluster.nodes.map(changes);
  await Promise.all(cluster.nodes.map(({ id }) => change(id)));
  await waitFor('the new credentials', () => cluster.nodes.every((node, at) => changes(node) > before[at]!));
}

/** The events meanwhile cost no block, no commit and no election. */
async function withoutNotice(cluster: ProcessCluster, body: () => Promise<void>): Promise<void> {
  const leader = await cluster.activeLeader();
  const [term, before] = [await termOf(leader), await leader.devnet.state()];
  await body();
  await cluster.moreBlocks(5);
  const after = await leader.devnet.state();
  expect({ term: await termOf(leader), failures: after.counts.commitFailures }).toEqual({
    term,
    failures: before.counts.commitFailures,
  });
  expect(await expectHealthy(cluster)).toBe(leader);
}

async function failsOver(cluster: ProcessCluster): Promise<void> {
  const killed = await expectHealthy(cluster);
  await cluster.killMachine(killed);
  expect(await cluster.activeAmong(cluster.others(killed))).not.toBe(killed);
  await cluster.restartMachine(killed);
  await expectHealthy(cluster);
}

/** One member after the other, the leader last: stopped in good order, and started with these flags besides its own. */
async function restartEach(cluster: ProcessCluster, flagsOf: (id: string) => string[]): Promise<void> {
  const leader = await cluster.activeLeader();
  for (const { id, baton } of [...cluster.others(leader), leader]) {
    const at = baton.options.flags!.indexOf('--raft.peers');
    await baton.kill('SIGTERM');
    baton.log.splice(0);
    baton.options.flags = [...baton.options.flags!.slice(at, at + 2), ...STEADY.flags, ...flagsOf(id)];
    await baton.start();
    await expectHealthy(cluster);
  }
}

/** Blocks that the sequencers built and that did not become part of the chain. */
async function droppedBlocks(cluster: ProcessCluster): Promise<number> {
  const states = await Promise.all(cluster.nodes.map(({ devnet }) => devnet.state()));
  return states.reduce(
    (sum, { counts, pending }) => sum + counts.sealed - counts.committed - (pending ? 1 : 0),
    0,
  );
}

describeCluster(
  'a cluster with certificates',
  async () => {
    for (const id of IDS) await folder.issue(id);
    return { ...STEADY, flagsOf: (index) => folder.certificateFlags(IDS[index]!) };
  },
  (cluster, scenario) => {
    scenario('forms, and fails over', () => failsOver(cluster));

    scenario('is not joined or disturbed by a holder of another authority’s certificate', async () => {
      const strangers = await CredentialFolder.make();
      const [first] = cluster.nodes as [ClusterNode];
      await strangers.issue('sequencer-9');
      const stranger = new BatonProcess({
        ...first.baton.options,
        id: 'sequencer-9',
        storageDir: `${first.baton.options.storageDir}-stranger`,
        rpcPort: 0,
        consensusPort: 0,
        flags: [
          ...[
            '--raft.peers',
            [...IDS.map((id) => `${id}@${addressOf(cluster, id)}`), 'sequencer-9@127.0.0.1:1'].join(),
          ],
          ...strangers.certificateFlags('sequencer-9'),
        ],
      });
      try {
        await withoutNotice(cluster, async () => {
          await stranger.start();
          await waitFor('the stranger to be refused', () => stranger.log.some(withCode('peer-not-trusted')));
        });
      } finally {
        await stranger.dispose();
        await strangers.remove();
      }
    });

    scenario('refuses a member that speaks as another', async () => {
      const ofMember = await folder.authority.issue({ uris: ['baton:sequencer-1'] });
      const security = securedBy(readCertificate(ofMember, 'sequencer-1'));
      const rogue = new TransportNode('sequencer-2', { security });
      const [target, , claimed] = await Promise.all(
        IDS.map(async (id) => {
          const address = addressOf(cluster, id);
          return { address, ...(await rogue.transport.hello(address, AbortSignal.timeout(2000))) };
        }),
      );
      rogue.clusterId = target!.clusterId;
      rogue.incarnation = claimed!.incarnation;
      await rogue.start();
      try {
        rogue.transport.setPeers([
          { id: 'sequencer-0', address: target!.address, incarnation: target!.incarnation, voter: true },
        ]);
        await withoutNotice(cluster, async () => {
          const vote = {
            type: 'vote' as const,
            term: 1000,
            requestId: 1,
            lastIndex: 1e6,
            lastTerm: 999,
            transferNumber: 1,
          };
          await expect(rogue.transport.send('sequencer-0', vote)).rejects.toThrow('wrong-sender');
        });
      } finally {
        await rogue.transport.stop();
      }
    });

    scenario('renews certificates and changes their authority under load, and nobody notices', () =>
      withoutNotice(cluster, async () => {
        await changeOnAll(cluster, (id) => folder.issue(id));
        const next = await TestAuthority.make();
        const both = `${folder.authority.pem}\n${next.pem}`;
        await changeOnAll(cluster, (id) => folder.issue(id, { ca: both }));
        folder.authority = next;
        await changeOnAll(cluster, (id) => folder.issue(id, { ca: both }));
        await changeOnAll(cluster, (id) => folder.issue(id));
      }),
    );

    scenario('goes on when a certificate expires, says so loudly, and takes the member back', async () => {
      const leader = await cluster.activeLeader();
      const [member] = cluster.others(leader) as [ClusterNode];
      await folder.issue(member.id, { fromDays: -2, untilDays: -1 });
      await waitFor('the end to be told', () =>
        lines(member, withCode('certificate-expired')).some(({ level }) => level === 'error' || level === 50),
      );
      // Open connections live on.
      await expectHealthy(cluster);
      await member.baton.kill();
      await member.baton.start();
      await waitFor('the member to be refused', () => lines(leader, withCode('peer-expired')).length > 0);
      await waitFor(
        'the member to hear why',
        () => lines(member, ({ reason }) => String(reason).includes('peer-expired')).length > 0,
      );
      await cluster.moreBlocks(5);
      await folder.issue(member.id);
      await expectHealthy(cluster);
    });
  },
);

describeCluster(
  'a cluster with a secret',
  async () => {
    for (const id of IDS) await folder.writeSecrets(id, OLD);
    return { ...STEADY, flagsOf: (index) => folder.secretFlags(IDS[index]!) };
  },
  (cluster, scenario) => {
    scenario('forms, and fails over', () => failsOver(cluster));

    scenario('changes its secret under load, and nobody notices', () =>
      withoutNotice(cluster, async () => {
        await changeOnAll(cluster, (id) => folder.writeSecrets(id, OLD, NEW));
        await changeOnAll(cluster, (id) => folder.writeSecrets(id, NEW, OLD));
        await changeOnAll(cluster, (id) => folder.writeSecrets(id, NEW));
      }),
    );
  },
);

describeCluster('an open cluster', STEADY, (cluster, scenario) => {
  scenario('is secured one member at a time, and no block is missed', async () => {
    await expectHealthy(cluster);
    const before = await droppedBlocks(cluster);
    for (const id of IDS) await folder.issue(id);
    await restartEach(cluster, (id) => [...folder.certificateFlags(id), '--raft.accept-plain']);
    for (const node of cluster.nodes) expect(lines(node, withCode('plain-accepted'))).toHaveLength(1);
    await restartEach(cluster, (id) => folder.certificateFlags(id));
    for (const node of cluster.nodes) expect(lines(node, withCode('plain-accepted'))).toEqual([]);
    expect(await droppedBlocks(cluster)).toBe(before);
    const plain = await fetch(`http://${addressOf(cluster, 'sequencer-0')}/raft/v1/hello`);
    expect(await plain.json()).toMatchObject({ code: 'peer-speaks-tls' });
  });
});

const addressOf = (cluster: ProcessCluster, id: string): string => cluster.node(id).baton.consensusAddress;
