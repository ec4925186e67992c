import { beforeAll, expect } from '@jest/globals';
import { keccak256, stringToBytes } from 'viem/utils';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { BatonProcess } from '../cluster/baton-process.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { readStoredChain } from '../cluster/stored-chain.js';
import { waitFor } from '../cluster/wait-for.js';
import { childOf, genesisBlock } from '../devnet/block.js';
import { refOf, type PayloadEnvelope } from '../devnet/payload.js';
import { describeConductors } from './describe-cluster.js';

const CLUSTER = { clusterFlags: ['--raft.heartbeat-timeout', '2s'] };

describeConductors('an operator takes committed blocks back', CLUSTER, (conductors, scenario) => {
  let leader: BatonProcess;
  /** The committed chain; index is the height. */
  const chain: PayloadEnvelope[] = [genesisBlock(901, 1_795_000_000)];

  beforeAll(async () => {
    leader = await conductors.leader();
    for (let height = 1; height <= 6; height++) await extend();
  });

  const commit = (block: PayloadEnvelope): Promise<unknown> =>
    leader.call('conductor_commitUnsafePayload', [block]);

  const extend = async (variant = ''): Promise<void> => {
    const block = childOf(chain.at(-1)!, { prevRandao: keccak256(stringToBytes(variant)) });
    expect(await commit(block)).toBeNull();
    chain.push(block);
  };

  const resetTo = (height: number, ...more: string[]): Promise<BatonRun> => {
    const to = `${height}:${refOf(chain[height]!).hash}`;
    const argv = ['reset-head', '--to', to, '--reason', 'a test', ...more];
    return runBaton(argv, { BATON_RPC: conductors.batons.get(conductors.ids[0]!)!.rpcUrl, USER: 'alice' });
  };

  const headsAre = async (height: number): Promise<void> => {
    for (const baton of conductors.batons.values()) {
      await waitFor(`${baton.id} to have the head`, async () => {
        const { head } = await baton.call<ConductorStatus>('conductor_status');
        return head?.number === height && head.hash === refOf(chain[height]!).hash;
      });
    }
  };

  scenario('a rehearsal changes nothing', async () => {
    const { code, stdout } = await resetTo(4, '--dry-run');
    expect(stdout).toContain('2 committed blocks would be given up');
    expect(stdout).toContain('Nothing was changed');
    expect(code).toBe(0);
    await headsAre(6);
  });

  scenario('with --yes every node goes back, and names the caller', async () => {
    const dead = chain.splice(5);
    const { code, stderr } = await resetTo(4, '--yes');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await headsAre(4);
    for (const { log } of conductors.batons.values()) {
      const line = log.find(({ msg }) => msg === 'the committed head was reset')!;
      expect(line).toMatchObject({ level: 40, depth: 2, evidence: 'operator' });
      expect(line['who']).toMatch(/^alice@.*: a test$/);
    }
    await extend('another branch');
    await expect(commit(dead[1]!)).rejects.toThrow('but the committed block 5 is');
    await headsAre(5);
  });

  scenario('a block that no node has is refused as a head', async () => {
    const [{ hash }, { number }] = [refOf(chain[2]!), refOf(chain[3]!)];
    await expect(leader.call('conductor_resetHead', [number, hash, 'a test'])).rejects.toThrow(
      'is not an ancestor of the committed head',
    );
    await headsAre(5);
  });

  scenario('it holds across restarts, and another leader goes on from there', async () => {
    chain.splice(4);
    expect((await resetTo(3, '--yes')).code).toBe(0);
    await headsAre(3);
    const flags = ['--paused', '--raft.heartbeat-timeout', '2s'];
    await Promise.all([...conductors.batons.values()].map((baton) => baton.kill()));
    await Promise.all(conductors.ids.map((id) => conductors.start(id, flags)));
    leader = await conductors.leader();
    await headsAre(3);
    await extend('a third branch');
    await headsAre(4);
  });

  scenario('is the same chain on every disk afterwards', async () => {
    await Promise.all([...conductors.batons.values()].map((baton) => baton.kill()));
    for (const id of conductors.ids) {
      const { blocks, verdicts } = await readStoredChain(conductors.storageDir(id), id);
      expect(blocks.map(({ hash }) => hash)).toEqual(chain.slice(1).map((block) => refOf(block).hash));
      expect(verdicts.filter((verdict) => verdict !== 'append')).toEqual(['reset', 'reset']);
    }
  });
});
