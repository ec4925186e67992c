import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientError } from './client-error.js';
import { ExecutionClient } from './execution-client.js';
import { startFakeRpcServer, type FakeRpcServer } from './testing/fake-rpc-server.js';
import { OpNodeClient } from './op-node-client.js';
import { StartRefusedError, type StartRefusal } from './start-refusal.js';

const hashA = `0x${'aa'.repeat(32)}`;
const hashB = `0x${'bb'.repeat(32)}`;

let server: FakeRpcServer;
let node: OpNodeClient;
let execution: ExecutionClient;

beforeEach(async () => {
  server = await startFakeRpcServer(() => ({ result: null }));
  node = new OpNodeClient({ url: server.url });
  execution = new ExecutionClient({ url: server.url });
});
afterEach(async () => {
  await node.close();
  await execution.close();
  await server.close();
});

function fails(message: string, code = -32000): void {
  server.answer = () => ({ error: { code, message } });
}

describe('OpNodeClient', () => {
  it.each<[string, StartRefusal]>([
    ['sequencer is not the leader, aborting', { reason: 'not-leader' }],
    [
      'sequencer leader check failed: context deadline exceeded',
      { reason: 'leader-check-failed', detail: 'context deadline exceeded' },
    ],
    [
      `block hash does not match: head ${hashA}:11, received ${hashB}`,
      { reason: 'hash-mismatch', head: { hash: hashA, number: 11 } },
    ],
    ['block hash does not match: head unknown', { reason: 'hash-mismatch', head: null }],
    [`no prestate, cannot determine if sequencer start at ${hashA} is safe`, { reason: 'no-prestate' }],
    ['sequencer is not enabled', { reason: 'not-enabled' }],
  ])('recognises a refused start: %s', async (text, refusal) => {
    fails(text);
    const error = await node.startSequencer(hashB).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StartRefusedError);
    expect((error as StartRefusedError).refusal).toEqual(refusal);
    expect((error as StartRefusedError).message).toContain(text);
  });

  it('passes other start errors on', async () => {
    fails('engine is on holiday');
    await expect(node.startSequencer(hashB)).rejects.toBeInstanceOf(ClientError);
  });

  it('treats a sequencer that already runs, or no longer runs, as the wanted state', async () => {
    fails('sequencer already running');
    expect(await node.startSequencer(hashA)).toEqual({ alreadyRunning: true });
    fails('sequencer not running');
    expect(await node.stopSequencer()).toEqual({ head: null, wasRunning: false });
  });

  it('treats an op-node without admin_conductorEnabled as enabled', async () => {
    fails('the method admin_conductorEnabled does not exist/is not available', -32601);
    expect(await node.conductorEnabled()).toBe(true);
    fails('rpc method not found');
    expect(await node.conductorEnabled()).toBe(true);
    server.answer = () => ({ result: false });
    expect(await node.conductorEnabled()).toBe(false);
    fails('something else');
    await expect(node.conductorEnabled()).rejects.toMatchObject({ code: 'rpc-error' });
  });

  it('posts the text of an envelope of megabytes unchanged', async () => {
    const text = `{"executionPayload": {"transactions": ["0x${'ab'.repeat(1_500_000)}"],   "gasLimit":"0x01"}}`;
    await node.postUnsafePayload(text);
    expect(server.requests[0]!.body.endsWith(`"params":[${text}]}`)).toBe(true);
  });

  it('wakes op-node by asking for the output of a block', async () => {
    server.answer = () => ({ result: { outputRoot: hashA } });
    await node.wakeUp(300);
    expect(JSON.parse(server.requests[0]!.body)).toMatchObject({
      method: 'optimism_outputAtBlock',
      params: ['0x12c'],
    });
  });

  it.each([
    ['start', () => node.startSequencer(hashA)],
    ['stop', () => node.stopSequencer()],
    ['post', () => node.postUnsafePayload('{}')],
    ['override', () => node.overrideLeader()],
  ])('never sends %s twice', async (_name, call) => {
    server.answer = () => 'reset';
    await expect(call()).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.requests).toHaveLength(1);
  });

  it('treats any result of a start, a post and an override as success', async () => {
    server.answer = () => ({ result: { ok: true } });
    expect(await node.startSequencer(hashA)).toEqual({ alreadyRunning: false });
    await node.postUnsafePayload('{}');
    await node.overrideLeader();
  });

  it('reads only the fields of a sync status that the checks use, and requires no others', async () => {
    const unsafe_l2 = { number: 7, timestamp: 70 };
    server.answer = () => ({ result: { unsafe_l2, safe_l2: { ...unsafe_l2, number: 5 }, extra: 1 } });
    expect(await node.syncStatus()).toEqual({
      unsafeL2: unsafe_l2,
      safeL2: { number: 5, timestamp: 70 },
      l1Blocks: [],
    });
    for (const rest of [{}, { safe_l2: null }]) {
      server.answer = () => ({ result: { unsafe_l2, finalized_l2: null, ...rest } });
      expect(await node.syncStatus()).toEqual({
        unsafeL2: unsafe_l2,
        safeL2: { number: 0, timestamp: 0 },
        l1Blocks: [],
      });
    }
  });

  it('reads blocks of L1, and works without them', async () => {
    const unsafe_l2 = { number: 7, timestamp: 70 };
    const block = { number: 3, hash: hashA, parentHash: hashB };
    const head_l1 = { ...block, timestamp: 30 };
    server.answer = () => ({ result: { unsafe_l2, head_l1, current_l1: { ...head_l1, number: 2 } } });
    expect(await node.syncStatus()).toMatchObject({ l1Blocks: [block, { ...block, number: 2 }] });
    for (const unreadable of [null, {}, { ...block, hash: 7 }]) {
      server.answer = () => ({ result: { unsafe_l2, head_l1: unreadable, current_l1: block } });
      expect((await node.syncStatus()).l1Blocks).toEqual([block]);
    }
  });

  it('refuses a sync status without an unsafe head', async () => {
    server.answer = () => ({ result: { safe_l2: {} } });
    await expect(node.syncStatus()).rejects.toMatchObject({ code: 'bad-answer' });
    await expect(node.syncStatus()).rejects.toThrow('unsafe_l2');
  });
});

describe('ExecutionClient', () => {
  const block = {
    hash: hashA.toUpperCase().replace('0X', '0x'),
    number: '0x10',
    parentHash: hashB,
    timestamp: '0x65',
  };

  it('reads a block and lower-cases its hash', async () => {
    server.answer = () => ({ result: { ...block, transactions: [] } });
    const ref = { hash: hashA, number: 16, parentHash: hashB, timestamp: 101 };
    expect(await execution.latestBlock()).toEqual(ref);
    expect(await execution.blockByNumber(16)).toEqual(ref);
    expect(server.requests.map(({ params }) => params)).toEqual([
      ['latest', false],
      ['0x10', false],
    ]);
  });

  it('has no block for a future number, but always a latest one', async () => {
    expect(await execution.blockByNumber(99)).toBeNull();
    await expect(execution.latestBlock()).rejects.toMatchObject({ code: 'bad-answer' });
  });

  it.each([['0xffffffffffffffff'], ['17'], ['0x'], [16]])('refuses the block number %s', async (number) => {
    server.answer = () => ({ result: { ...block, number } });
    await expect(execution.latestBlock()).rejects.toMatchObject({ code: 'bad-answer' });
  });

  it('counts peers in both ways', async () => {
    server.answer = ({ method }) => ({ result: method === 'net_peerCount' ? '0x1a' : [{}, {}] });
    expect(await execution.peerCount()).toBe(26);
    expect(await execution.adminPeerCount()).toBe(2);
  });
});
