import { afterAll, beforeAll, expect } from '@jest/globals';
import { z } from 'zod';
import { SlowLine } from '../../raft/testing/slow-line.js';
import { JsonRpcClient } from '../../rpc/clients/json-rpc-client.js';
import type { BatonProcess } from '../cluster/baton-process.js';
import { Conductors } from '../cluster/conductors.js';
import { childOf, genesisBlock } from '../devnet/block.js';
import type { PayloadEnvelope } from '../devnet/payload.js';
import { randomTransactions } from '../devnet/transactions.js';
import { describeProcesses, STEADY } from './describe-cluster.js';

/** 8 Mbit/s to each node. */
const BYTES_PER_MS = 1000;
const SMALL_BYTES = 2000;
/** Takes three seconds on the line; a deadline for all of it would be one second. */
const LARGE_BYTES = Number(process.env['BATON_SLOW_LINE_BYTES'] ?? 3_000_000);
const COMMIT_WITHIN_MS = 80_000;
const GENESIS_TIME = 1_795_000_000;

const lines = new Map<string, SlowLine>();

/** Made before the lines exist: they stall while this process makes blocks. */
const blocks: PayloadEnvelope[] = [];

/** Each node is reached over its own line. */
async function startBehindLines(conductors: Conductors): Promise<void> {
  for (const bytes of [SMALL_BYTES, LARGE_BYTES, SMALL_BYTES]) {
    const parent = blocks.at(-1) ?? genesisBlock(901, GENESIS_TIME);
    blocks.push(childOf(parent, { transactions: randomTransactions(901, bytes) }));
  }
  await conductors.prepare();
  for (const id of conductors.ids) {
    const port = Number(conductors.address(id).split(':').at(-1));
    lines.set(id, await SlowLine.open(() => ({ host: '127.0.0.1', port }), BYTES_PER_MS));
  }
  const peers = conductors.ids.map((id) => `${id}@127.0.0.1:${lines.get(id)!.port}`).join(',');
  const flags = ['--paused', '--raft.peers', peers, ...STEADY.flags];
  await Promise.all(conductors.ids.map((id) => conductors.start(id, flags)));
}

const conductors = new Conductors(undefined, GENESIS_TIME);

describeProcesses(
  'a cluster of three over lines of 8 Mbit/s',
  conductors,
  startBehindLines,
  (_, scenario) => {
    let leader: BatonProcess;
    let client: JsonRpcClient;

    beforeAll(async () => {
      leader = await conductors.leader();
      client = new JsonRpcClient({ url: leader.rpcUrl, timeoutMs: COMMIT_WITHIN_MS });
    });
    afterAll(async () => {
      await client?.close();
      await Promise.all([...lines.values()].map((line) => line.close()));
    });

    /** Commits the next block. @returns how long that took */
    const commitNext = async (): Promise<number> => {
      const params = [blocks.shift()];
      const begunMs = performance.now();
      await client.call({ method: 'conductor_commitUnsafePayload', params, result: z.null() });
      return performance.now() - begunMs;
    };

    const term = async (): Promise<number> => (await leader.call<{ term: number }>('conductor_status')).term;

    scenario('commits a large block, keeps its leader meanwhile, and goes on with small ones', async () => {
      await commitNext();
      const before = await term();
      const tookMs = await commitNext();
      expect(tookMs).toBeGreaterThan(LARGE_BYTES / BYTES_PER_MS / 2);
      expect(await term()).toBe(before);
      await commitNext();
      for (const { carriedBytes } of lines.values()) expect(carriedBytes).toBeLessThan(1.3 * LARGE_BYTES);
    });
  },
);
