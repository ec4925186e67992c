import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readJsonLines } from '../../common/testing/fixtures.js';
import { blockHashOf, factsOf } from './block.js';
import { envelopeSchema, toQuantity, type PayloadEnvelope } from './payload.js';
import { post, rpc, TestNetwork, until, type RpcAnswer, type TestNode } from './test-network.js';

interface Recorded {
  to: string;
  name: string;
  request: string;
  status: number;
  body: string;
}

interface Exchange {
  request: { body: string };
  response: { body: string };
}

const BLOCKS = 5;
const BLOCK_TIME_SECONDS = 100;

/** Names and types of everything in a value, in one comparable string; lists count by their first entry. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  const members = Object.entries(value).map(([key, member]) => [key, shapeOf(member)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('recorded answers of real programs', () => {
  const network = new TestNetwork();
  let active: TestNode;
  let standby: TestNode;
  let head: PayloadEnvelope;

  beforeAll(async () => {
    // Far enough behind that a few blocks are built at once, and the next is due long after the test.
    const genesisTime = Math.floor(Date.now() / 1000) - BLOCK_TIME_SECONDS * BLOCKS - 1;
    const options = { genesisTime, blockTimeMs: BLOCK_TIME_SECONDS * 1000 };
    standby = await network.startNode({ ...options, name: 'standby' });
    active = await network.startNode({ ...options, name: 'active', peers: [standby.p2pUrl] });
    standby.conductor.isLeader = false;
    expect(await rpc(active.nodeRpc, 'admin_startSequencer', active.node.state().head.hash)).toMatchObject({
      result: null,
    });
    await rpc(active.nodeRpc, 'optimism_outputAtBlock', '0x0');
    await until(() => standby.node.state().head.number === BLOCKS, 'blocks on the standby');
    head = active.conductor.committed.at(-1)!;
  });
  afterAll(() => network.stop());

  const rows = readJsonLines<Recorded>('recordings/op-node.jsonl');
  const theirs = rows
    .map(
      ({ body }) =>
        (JSON.parse(body) as RpcAnswer).result as { unsafe_l2?: { hash: string; parentHash: string } },
    )
    .find((result) => result?.unsafe_l2 !== undefined)!.unsafe_l2!;

  /** Replaces their head by ours, and what follows from it. */
  function translate(text: string): string {
    const altered = { ...head, executionPayload: { ...head.executionPayload, gasUsed: '0x1' as const } };
    return text
      .replaceAll(theirs.hash, head.executionPayload.blockHash)
      .replaceAll(theirs.parentHash, head.executionPayload.parentHash)
      .replace(/:11,/, `:${BLOCKS},`)
      .replace(/actual block hash is: 0x[0-9a-f]{64}/, `actual block hash is: ${blockHashOf(altered)}`);
  }

  function translatedRequest(text: string): string {
    const call = JSON.parse(text) as {
      method: string;
      params: [{ executionPayload?: { gasUsed: string } } | null];
    };
    if (call.method !== 'admin_postUnsafePayload' || !call.params[0]?.executionPayload)
      return translate(text);
    const altered = call.params[0].executionPayload.gasUsed === '0x1';
    const executionPayload = { ...head.executionPayload, ...(altered ? { gasUsed: '0x1' } : {}) };
    return JSON.stringify({ ...call, params: [{ ...head, executionPayload }] });
  }

  for (const row of rows) {
    it(`${row.to}: ${row.name}`, async () => {
      const nodeUrl = row.to.includes('active') ? active.nodeRpc : standby.nodeRpc;
      // The recorded execution clients had no peers, and neither has the standby's.
      const url = row.to === 'execution client' ? standby.executionRpc : nodeUrl;
      const answer = JSON.parse(await post(url, translatedRequest(row.request))) as RpcAnswer;
      const expected = JSON.parse(translate(row.body)) as RpcAnswer;
      expect(answer.error).toEqual(expected.error);
      expect(shapeOf(answer)).toEqual(shapeOf(expected));
      if (typeof expected.result !== 'object') expect(answer.result).toEqual(expected.result);
    });
  }

  it('describes the same real block with the same transactions root and size', () => {
    const posted = rows.find(({ name }) => name === 'post a payload that it has')!.request;
    const envelope = envelopeSchema.parse((JSON.parse(posted) as { params: unknown[] }).params[0]);
    const latest = rows.find(({ name }) => name === 'latest')!.body;
    const { hash, transactionsRoot, size } = factsOf(envelope);
    const facts = { hash, transactionsRoot, size: toQuantity(size) };
    expect((JSON.parse(latest) as RpcAnswer).result).toMatchObject(facts);
  });

  it('answers what op-conductor asks of op-node and execution client in the recorded shapes', async () => {
    const url = { node: standby.nodeRpc, execution: active.executionRpc };
    for (const program of ['node', 'execution'] as const) {
      for (const { request, response } of readJsonLines<Exchange>(
        `recordings/conductor-to-${program}.jsonl`,
      )) {
        const call = JSON.parse(request.body) as { method: string; params: unknown[] };
        if (/^admin_st(art|op)Sequencer$/.test(call.method)) continue;
        if (call.method === 'eth_getBlockByNumber') call.params[0] = toQuantity(BLOCKS);
        const answer = JSON.parse(await post(url[program], JSON.stringify(call))) as { result: object };
        // These recordings omit it. Those of op-node.jsonl have it.
        if (call.method === 'optimism_syncStatus') Reflect.deleteProperty(answer.result, 'cross_unsafe_l2');
        expect([call.method, shapeOf(answer.result)]).toEqual([
          call.method,
          shapeOf((JSON.parse(response.body) as RpcAnswer).result),
        ]);
      }
    }
  });

  it('calls its conductor as a real op-node does, down to the order of the members', () => {
    for (const { request } of readJsonLines<Exchange>('recordings/node-to-conductor.jsonl')) {
      const call = JSON.parse(request.body) as { method: string; params?: unknown[] };
      const ours = active.conductor.rawCalls.find(({ method }) => method === call.method)!;
      expect(JSON.stringify(withoutValues(ours.params))).toBe(
        JSON.stringify(withoutValues(call.params ?? [])),
      );
    }
  });
});

/** The members of an object in their order, without values; lists are cut to their first entry. */
function withoutValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(withoutValues);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, member]) => [key, withoutValues(member)]);
}
