import { cp, rm } from 'node:fs/promises';
import { beforeAll, expect } from '@jest/globals';
import type { ClusterStatus, ConductorStatus } from '../../rpc/server/conductor-status.js';
import { BatonProcess } from '../cluster/baton-process.js';
import { waitFor } from '../cluster/wait-for.js';
import { childOf, genesisBlock } from '../devnet/block.js';
import { pickPorts } from '../devnet/devnet-process.js';
import { refOf, type PayloadEnvelope } from '../devnet/payload.js';
import { describeConductors, STEADY } from './describe-cluster.js';

const IDS = ['a', 'b', 'c'];

const status = (baton: BatonProcess): Promise<ConductorStatus> => baton.call('conductor_status');

const alarms = ({ log }: BatonProcess, code: string): object[] => log.filter((line) => line['code'] === code);

describeConductors('disks', { ids: IDS, clusterFlags: STEADY.flags }, (conductors, scenario) => {
  let head: PayloadEnvelope;
  /** Its disk is put back. */
  let victim: BatonProcess;

  beforeAll(() => {
    head = genesisBlock(901, Math.floor(Date.now() / 1000));
  });

  const all = (): BatonProcess[] => IDS.map((id) => conductors.get(id));
  const others = (baton: BatonProcess): BatonProcess[] => all().filter((other) => other !== baton);
  const hasHead = async (baton: BatonProcess): Promise<boolean> =>
    (await status(baton)).head?.hash === refOf(head).hash;

  /** Commits one more block, which takes a majority, and waits until all of these have it. */
  const commit = async (among: readonly BatonProcess[]): Promise<void> => {
    const block = childOf(head);
    await waitFor('a block to be committed', async () => {
      await (await conductors.leader()).call('conductor_commitUnsafePayload', [block]);
      return true;
    });
    head = block;
    for (const baton of among) await waitFor(`${baton.id} to have it`, () => hasHead(baton));
  };

  scenario(
    'of two processes on copies of one, only the first counts, and the other raises an alarm',
    async () => {
      await commit(all());
      const leader = await conductors.leader();
      const { storageDir } = leader.options;
      // A copy of a closed directory: no part of it is torn.
      await leader.kill('SIGTERM');
      await cp(storageDir, `${storageDir}-copy`, { recursive: true });
      await leader.start();
      await conductors.makeLeader(leader.id);
      await commit(all());
      const { term } = await status(leader);

      const [rpcPort, consensusPort] = (await pickPorts(2)) as [number, number];
      const options = { ...leader.options, storageDir: `${storageDir}-copy`, rpcPort, consensusPort };
      const copy = new BatonProcess(options);
      try {
        await copy.start();
        for (const other of others(leader)) {
          await waitFor(`the alarm of ${other.id}`, () => alarms(other, 'identity-used-twice').length > 0);
          expect(alarms(other, 'identity-used-twice')[0]).toMatchObject({ level: 50, peer: leader.id });
        }
        await waitFor('the verdict on the cluster to have it', async () => {
          const { verdict } = await others(leader)[0]!.call<ClusterStatus>('conductor_clusterStatus');
          const about = verdict!.problems.filter(({ member }) => member === leader.id);
          return about.some(({ code }) => code === 'identity-used-twice');
        });
        const refused = (): boolean =>
          copy.log.some(({ reason }) => String(reason).includes('identity-used-twice'));
        await waitFor('the copy to be refused', refused);
        await commit(all());
        expect(await status(leader)).toMatchObject({ role: 'leader', term });
        const { head: headOfCopy, role } = await status(copy);
        expect(role).not.toBe('leader');
        expect(headOfCopy?.hash).not.toBe(refOf(head).hash);
      } finally {
        await copy.dispose();
      }
    },
  );

  scenario('one that was put back raises an alarm, and no longer counts, after any start', async () => {
    await commit(all());
    const leader = await conductors.leader();
    const [one, witness] = others(leader) as [BatonProcess, BatonProcess];
    victim = one;
    const { storageDir } = victim.options;
    await victim.kill('SIGTERM');
    await cp(storageDir, `${storageDir}-before`, { recursive: true });
    await victim.start();
    await commit(all());
    await victim.kill('SIGTERM');
    await rm(storageDir, { recursive: true });
    await cp(`${storageDir}-before`, storageDir, { recursive: true });
    await victim.start();
    await waitFor('the alarm of the leader', () => alarms(leader, 'log-reverted').length > 0);
    await waitFor('the alarm of the node', () => alarms(victim, 'log-reverted').length > 0);
    const { head: kept } = await status(victim);

    await Promise.all(all().map((baton) => baton.kill()));
    for (const { log } of all()) log.length = 0;
    await Promise.all(all().map((baton) => baton.start()));
    await waitFor('it to say so again', () => alarms(victim, 'log-reverted').length > 0);
    expect(alarms(victim, 'log-reverted')).toMatchObject([{ node: victim.id, proof: 'noted' }]);
    await commit([leader, witness]);
    expect((await status(victim)).head).toEqual(kept);

    // The other would need only its vote and its disk.
    await witness.kill();
    const candidate = await waitFor('the leader to have given up', async () => {
      const { role, term } = await status(leader);
      return role !== 'leader' && { term };
    });
    const isTold = ({ msg, retries }: (typeof leader.log)[number]): boolean =>
      msg === 'stands for election' && Number(retries) > 0;
    leader.log.length = 0;
    await waitFor('it to have stood again and again', () => leader.log.some(isTold));
    expect(await status(leader)).toMatchObject({ role: 'follower', term: candidate.term });
    expect((await status(victim)).head).toEqual(kept);
    await witness.start();
    await commit([leader, witness]);
  });

  scenario('the one that was put back is replaced by an empty one, and counts again', async () => {
    await victim.kill();
    await rm(victim.options.storageDir, { recursive: true });
    await victim.start();
    const leader = await conductors.leader();
    await leader.call('conductor_addServerAsVoter', [victim.id, victim.consensusAddress, 0]);
    const [witness] = others(leader).filter((baton) => baton !== victim) as [BatonProcess];
    await witness.kill();
    await commit([leader, victim]);
    await witness.start();
    await commit(all());
  });
});
