import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import { Level } from 'level';
import type { BatonProcess } from '../cluster/baton-process.js';
import { readStoredChain } from '../cluster/stored-chain.js';
import { waitFor } from '../cluster/wait-for.js';
import { childOf, genesisBlock } from '../devnet/block.js';
import { refOf, type PayloadEnvelope } from '../devnet/payload.js';
import { describeConductors } from './describe-cluster.js';

describeConductors('bad input on the disk', { ids: ['a', 'b', 'c'] }, (conductors, scenario) => {
  const FLAGS = ['--paused', '--raft.bootstrap'];
  const MANIFEST_KEY = Buffer.of(2);
  const block = childOf(genesisBlock(901, 1_795_000_000));

  const database = (id: string): string => path.join(conductors.storageDir(id), id, 'baton');

  const commit = (baton: BatonProcess, envelope: PayloadEnvelope): Promise<unknown> =>
    waitFor('a block to be committed', () => baton.call('conductor_commitUnsafePayload', [envelope]));

  /** Opens the node's database behind its back. */
  const withDatabase = async <T>(use: (level: Level<Buffer, Buffer>) => Promise<T>): Promise<T> => {
    const level = new Level<Buffer, Buffer>(database('a'), {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    });
    try {
      return await use(level);
    } finally {
      await level.close();
    }
  };

  const readManifest = (): Promise<Buffer> => withDatabase((level) => level.get(MANIFEST_KEY));

  const writeManifest = (record: Buffer | undefined): Promise<void> =>
    withDatabase((level) => (record ? level.put(MANIFEST_KEY, record) : level.del(MANIFEST_KEY)));

  /** The node ends by itself, with this error and its remedy. */
  const expectRefusal = async (id: string, code: string | RegExp, text: string): Promise<void> => {
    await expect(conductors.start(id, FLAGS)).rejects.toThrow(`baton ${id} ended with 1`);
    const last = conductors.get(id).log.findLast(({ msg }) => msg === 'exiting');
    const error = last?.['err'] as { code: string; message: string; remedy: string };
    expect(error.code).toMatch(code);
    expect(error.message).toContain(text);
    expect(error.remedy.length).toBeGreaterThan(20);
  };

  /** The node is unchanged: it leads its cluster of one, and the block is its head. */
  const expectWell = async (id: string): Promise<void> => {
    const baton = await conductors.start(id, FLAGS);
    await commit(baton, block);
    await baton.kill('SIGTERM');
    const { blocks } = await readStoredChain(conductors.storageDir(id), id);
    expect(blocks.map(({ hash }) => hash)).toEqual([refOf(block).hash]);
  };

  beforeAll(() => expectWell('a'));

  scenario("another node's directory is refused", async () => {
    await cp(database('a'), database('b'), { recursive: true });
    await expectRefusal('b', 'wrong-node', 'belongs to node "a", but the process is node "b"');
    await rm(database('b'), { recursive: true });
  });

  scenario("another cluster's directory is refused by the cluster", async () => {
    const [a, c] = await Promise.all([conductors.start('a', FLAGS), conductors.start('c', FLAGS)]);
    await waitFor('both to lead', async () => (await conductors.leaders()).length === 2);
    await expect(a.call('conductor_addServerAsVoter', ['c', conductors.address('c'), 0])).rejects.toThrow(
      `c at ${conductors.address('c')} belongs to another cluster`,
    );
    const { servers } = await a.call<{ servers: { id: string }[] }>('conductor_clusterMembership');
    expect(servers.map(({ id }) => id)).toEqual(['a']);
    await Promise.all([a.kill(), c.kill()]);
    await expectWell('a');
  });

  scenario('a directory in use is refused', async () => {
    const first = await conductors.start('a', FLAGS);
    const flags = [...FLAGS, '--raft.server.id', 'a', '--raft.storage.dir', conductors.storageDir('a')];
    await expect(conductors.start('b', flags)).rejects.toThrow('is in use by another process');
    expect(await first.call('conductor_leader')).toBe(true);
    await first.kill();
  });

  scenario('a damaged manifest is refused', async () => {
    const good = await readManifest();
    const flipped = Buffer.from(good);
    flipped[flipped.length - 10]! ^= 1;
    for (const bad of [flipped, Buffer.from('{}'), undefined]) {
      await writeManifest(bad);
      await expectRefusal('a', 'damaged-manifest', 'The manifest is missing or damaged');
    }
    await writeManifest(good);
    await expectWell('a');
  });

  scenario('a flipped bit in a block is refused', async () => {
    const stateRoot = Buffer.from(block.executionPayload.stateRoot.slice(2), 'hex');
    const files = (await readdir(database('a'))).filter((name) => /\.(log|ldb)$/.test(name));
    let flipped = 0;
    for (const name of files) {
      const file = path.join(database('a'), name);
      const bytes = await readFile(file);
      for (let at = bytes.indexOf(stateRoot); at >= 0; at = bytes.indexOf(stateRoot, at + 1), flipped++) {
        bytes[at]! ^= 1;
      }
      await writeFile(file, bytes);
    }
    expect(flipped).toBeGreaterThan(0);
    await expectRefusal('a', /^(damaged-|missing-|chain-|lost-)/, '');
  });
});
