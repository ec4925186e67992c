import { describe, expect } from '@jest/globals';
import { request } from 'undici';
import { readJsonLines } from '../../common/testing/fixtures.js';
import { envelopeJson } from '../../rpc/payload/envelope-json.js';
import type { BatonProcess } from '../cluster/baton-process.js';
import type { Conductors } from '../cluster/conductors.js';
import { readStoredChain } from '../cluster/stored-chain.js';
import { waitFor } from '../cluster/wait-for.js';
import { blockHashOf } from '../devnet/block.js';
import { envelopeSchema } from '../devnet/payload.js';
import { describeConductors } from './describe-cluster.js';

/** Requests of a real op-node to its conductor. */
interface Line {
  number: number;
  hash: string;
  parentHash: string;
  /** The HTTP body. */
  body: string;
}

/** `killedDuring` is a block of the stream: the leader dies while it is on its way. */
const STREAMS = [
  { stream: 'jovian', first: 1, blocks: 140, killedDuring: 71 },
  // A large block.
  { stream: 'granite', first: 1, blocks: 30, killedDuring: 26 },
  // The one after the largest; a follower may not have the largest yet.
  { stream: 'granite-large', first: 43, blocks: 18, killedDuring: 44 },
] as const;

const KEEPS_ALL = { clusterFlags: ['--raft.retention-mb', '1024'] };

describe('what a real op-node sent to its conductor', () => {
  for (const { stream, first, blocks, killedDuring } of STREAMS) {
    describeConductors(stream, KEEPS_ALL, (conductors, scenario) =>
      scenario('is on every disk byte for byte, even if the leader is killed meanwhile', async () => {
        const lines = readJsonLines<Line>(`payloads/${stream}.jsonl.gz`);
        expect(lines.map(({ number }) => number)).toEqual(
          Array.from({ length: blocks }, (_, at) => at + first),
        );
        const commit = committer(conductors);
        const position = killedDuring - first;
        for (const line of lines.slice(0, position)) await commit(line);

        // The next block is on its way when the leader dies, so that it may be committed already or not.
        const killed = await conductors.leader();
        const onItsWay = send(killed, lines[position]!.body).catch(() => undefined);
        await killed.kill('SIGKILL');
        await onItsWay;
        for (const line of lines.slice(position)) await commit(line);

        await killed.start();
        // Any member that can lead has everything.
        for (const id of conductors.ids) await conductors.makeLeader(id);
        await expectStored(conductors, lines);
      }),
    );
  }
});

/** Posts a recorded body as it is. */
async function send(baton: BatonProcess, body: string): Promise<{ status: number; answer: string }> {
  const response = await request(baton.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.statusCode, answer: await response.body.text() };
}

/** Commits as op-node does: a block whose commit failed because leadership moved is sent again. */
function committer(conductors: Conductors): (line: Line) => Promise<void> {
  let leader: BatonProcess | undefined;
  return async ({ number, body }) => {
    const { id } = JSON.parse(`${body.slice(0, body.indexOf(',"method"'))}}`) as { id: number };
    const reply = await waitFor(`an answer to block ${number}`, async () => {
      const to = leader ?? (await conductors.leader());
      leader = undefined;
      const sent = await send(to, body);
      if (sent.answer.includes('leader')) return undefined;
      leader = to;
      return sent;
    });
    expect(reply).toEqual({ status: 200, answer: `{"jsonrpc":"2.0","id":${id},"result":null}\n` });
  };
}

/** Stops the nodes, and compares the stored blocks of each with the sent ones. */
async function expectStored(conductors: Conductors, lines: readonly Line[]): Promise<void> {
  await Promise.all([...conductors.batons.values()].map((baton) => baton.kill()));
  for (const [node, id] of conductors.ids.entries()) {
    const { blocks } = await readStoredChain(conductors.storageDir(id), id);
    expect(blocks.map(({ number, hash }) => ({ number, hash }))).toEqual(
      lines.map(({ number, hash }) => ({ number, hash })),
    );
    for (const [at, { number, hash, ssz }] of blocks.entries()) {
      const kept = envelopeJson(ssz);
      // Compared as a boolean, because a difference in a megabyte of text cannot be printed.
      expect([id, number, `[${kept}]` === paramsOf(lines[at]!.body)]).toEqual([id, number, true]);
      // The same bytes have the same hash: once is enough.
      if (node > 0) continue;
      expect([number, blockHashOf(envelopeSchema.parse(JSON.parse(kept)))]).toEqual([number, hash]);
    }
  }
}

const paramsOf = (body: string): string => body.slice(body.indexOf('"params":') + '"params":'.length, -1);
