import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startFakeRpcServer,
  type FakeAnswer,
  type FakeRpcServer,
} from '../../../../rpc/clients/testing/fake-rpc-server.js';
import type { NodeFacts } from '../facts.js';
import { gatherNode } from './gather-node.js';

const HASH = `0x${'ab'.repeat(32)}`;
const OTHER = `0x${'cd'.repeat(32)}`;
const block = (hash: string, number: string): object => ({
  hash,
  number,
  parentHash: OTHER,
  timestamp: '0x64',
});

let server: FakeRpcServer;
/** Answers that differ from those of a healthy node. */
let answers: Record<string, FakeAnswer>;

beforeEach(async () => {
  answers = {};
  server = await startFakeRpcServer(
    ({ method, params }) => answers[`${method} ${String(params[0])}`] ?? answers[method] ?? good(method),
  );
});
afterEach(() => server.close());

function good(method: string): FakeAnswer {
  const results: Record<string, unknown> = {
    optimism_syncStatus: {
      unsafe_l2: { number: 100, timestamp: 100, hash: HASH },
      safe_l2: { number: 90, timestamp: 80 },
    },
    optimism_rollupConfig: { l2_chain_id: 901, block_time: 2 },
    admin_conductorEnabled: true,
    admin_sequencerActive: false,
    opp2p_peerStats: { connected: 3 },
    eth_chainId: '0x385',
    eth_getBlockByNumber: block(HASH, '0x64'),
  };
  return method in results
    ? { result: results[method] }
    : { error: { code: -32601, message: 'the method does not exist' } };
}

const gather = (): Promise<NodeFacts> =>
  gatherNode(
    { nodeUrl: server.url, executionUrl: server.url.replace('//', '//user:secret@') },
    { signal: new AbortController().signal, timeoutMs: 300 },
  );

describe('op-node and the execution client', () => {
  it('report everything, and no password is passed on', async () => {
    const facts = await gather();
    expect(facts).toMatchObject({
      opNode: {
        head: { value: { number: 100, hash: HASH, timestamp: 100 } },
        chainId: { value: 901 },
        conductorEnabled: { value: true },
        sequencerActive: { value: false },
        peers: { value: 3 },
      },
      execution: {
        head: { value: { number: 100, hash: HASH } },
        chainId: { value: 901 },
        atNodeHead: { value: { hash: HASH } },
      },
    });
    expect(JSON.stringify(facts)).not.toContain('secret');
  });

  it("the client is asked for its block at the height of op-node's head", async () => {
    answers['eth_getBlockByNumber latest'] = { result: block(HASH, '0x70') };
    answers['eth_getBlockByNumber 0x64'] = { result: block(OTHER, '0x64') };
    expect((await gather()).execution).toMatchObject({
      head: { value: { number: 112 } },
      atNodeHead: { value: { hash: OTHER } },
    });
  });

  it('that hang are abandoned at their deadline, all at the same time', async () => {
    for (const method of ['optimism_syncStatus', 'admin_sequencerActive', 'eth_chainId', 'opp2p_peerStats']) {
      answers[method] = 'hang';
    }
    const facts = await gather();
    const late = { error: expect.stringContaining('no answer within 300 ms'), isMethodMissing: false };
    expect(facts.opNode).toMatchObject({
      head: late,
      sequencerActive: late,
      peers: late,
      chainId: { value: 901 },
    });
    expect(facts.execution).toMatchObject({ chainId: late, atNodeHead: undefined });
  });

  it('that lack a method are reported as lacking it, not as missing', async () => {
    answers['admin_sequencerActive'] = { error: { code: -32601, message: 'not available' } };
    expect((await gather()).opNode.sequencerActive).toMatchObject({ isMethodMissing: true });
  });
});
