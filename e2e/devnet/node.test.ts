import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { request } from 'undici';
import { startNode } from './node.js';
import { refOf, type PayloadEnvelope } from './payload.js';
import { headNumber, post, rpc, SHORT_PAUSES, startSequencer, TestNetwork, until } from './test-network.js';

describe('simulated node', () => {
  const network = new TestNetwork();
  afterEach(() => network.stop());

  describe('starting', () => {
    it('names every reason against it in op-node’s words and order', async () => {
      const node = await network.startNode(SHORT_PAUSES);
      const head = node.node.state().head.hash;
      const wrong = `0x${'12'.repeat(32)}`;
      node.conductor.isLeader = false;
      expect((await rpc(node.nodeRpc, 'admin_startSequencer', wrong)).error).toEqual({
        code: -32000,
        message: 'sequencer is not the leader, aborting',
      });
      node.conductor.isLeader = true;
      expect((await rpc(node.nodeRpc, 'admin_startSequencer', wrong)).error).toEqual({
        code: -32000,
        message: `block hash does not match: head ${head}:0, received ${wrong}`,
      });
      expect(await startSequencer(node)).toMatchObject({ result: null });
      expect((await rpc(node.nodeRpc, 'admin_startSequencer', wrong)).error?.message).toBe(
        'sequencer already running',
      );
      expect((await rpc(node.nodeRpc, 'admin_startSequencer', 'x')).error).toMatchObject({ code: -32602 });
      expect((await rpc(node.nodeRpc, 'admin_startSequencer', head, head)).error).toEqual({
        code: -32602,
        message: 'too many arguments, want at most 1',
      });
    });

    it('fails when the conductor does not answer in time, and starts nothing', async () => {
      const node = await network.startNode({ ...SHORT_PAUSES, conductorRpcTimeoutMs: 60 });
      let release = () => {};
      node.conductor.gate = new Promise<void>((resolve) => (release = resolve));
      expect((await startSequencer(node)).error?.message).toBe(
        'sequencer leader check failed: context deadline exceeded',
      );
      expect(node.node.state().active).toBe(false);
      release();
    });

    it('fails after two attempts when the conductor is not there', async () => {
      const node = await network.startNode({ ...SHORT_PAUSES, conductorRpc: 'http://127.0.0.1:9' });
      expect((await startSequencer(node)).error?.message).toMatch(
        /^sequencer leader check failed: operation failed permanently after 2 attempts: .*ECONNREFUSED/,
      );
    });

    it('is refused while op-node does not know its chain, and syncStatus is all zero', async () => {
      const node = await network.startNode({ ...SHORT_PAUSES, startupMs: 60_000 });
      const { hash } = node.node.state().head;
      expect((await startSequencer(node)).error?.message).toBe(
        `no prestate, cannot determine if sequencer start at ${hash} is safe`,
      );
      const { result } = await rpc(node.nodeRpc, 'optimism_syncStatus');
      expect(result).toMatchObject({
        unsafe_l2: { number: 0, timestamp: 0, hash: expect.stringMatching(/^0x0+$/) },
      });
    });

    it('happens by itself without a conductor, which is asked nothing', async () => {
      const node = await network.startNode({ ...SHORT_PAUSES, conductorEnabled: false });
      expect(await rpc(node.nodeRpc, 'admin_conductorEnabled')).toMatchObject({ result: false });
      await until(() => headNumber(node) >= 3, 'blocks');
      expect(node.node.state().active).toBe(true);
      expect(node.conductor.rawCalls).toEqual([]);
    });

    it('needs no leader once the leader is overridden, and then commits nothing', async () => {
      const node = await network.startNode(SHORT_PAUSES);
      node.conductor.isLeader = false;
      expect(await rpc(node.nodeRpc, 'admin_overrideLeader')).toMatchObject({ result: null });
      expect(await startSequencer(node)).toMatchObject({ result: null });
      await until(() => headNumber(node) >= 2, 'blocks');
      expect(node.conductor.received).toEqual([]);
    });
  });

  describe('its JSON-RPC', () => {
    it('answers what it does not understand as go-ethereum does', async () => {
      const { nodeRpc, executionRpc } = await network.startNode(SHORT_PAUSES);
      for (const url of [nodeRpc, executionRpc]) {
        expect((await rpc(url, 'optimism_nope')).error).toEqual({
          code: -32601,
          message: 'the method optimism_nope does not exist/is not available',
        });
        expect(JSON.parse(await post(url, '{oops'))).toMatchObject({
          error: { code: -32700, message: 'parse error' },
        });
        expect(JSON.parse(await post(url, '{"id":7}'))).toMatchObject({ id: 7, error: { code: -32600 } });
      }
      expect((await rpc(executionRpc, 'eth_getBlockByNumber', 'latest')).error?.message).toBe(
        'missing value for required argument 1',
      );
      const batch =
        '[{"jsonrpc":"2.0","id":"a","method":"eth_chainId"},{"jsonrpc":"2.0","method":"eth_chainId"}]';
      expect(JSON.parse(await post(executionRpc, batch))).toEqual([
        { jsonrpc: '2.0', id: 'a', result: '0x385' },
      ]);
    });

    it('finds blocks by tag, number and hash, and has none in the future', async () => {
      const node = await network.startNode(SHORT_PAUSES);
      const genesis = node.node.state().head.hash;
      await startSequencer(node);
      await until(() => headNumber(node) >= 2, 'blocks');
      await rpc(node.nodeRpc, 'admin_stopSequencer');
      const { hash, number, parentHash } = node.node.state().head;
      const find = async (key: string) =>
        (await rpc(node.executionRpc, 'eth_getBlockByNumber', key, false)).result as { hash: string } | null;
      expect(await find('latest')).toMatchObject({ hash, parentHash });
      expect(await find('pending')).toMatchObject({ hash });
      expect(await find(`0x${(number - 1).toString(16)}`)).toMatchObject({ hash: parentHash });
      for (const tag of ['earliest', 'safe', 'finalized', '0x0'])
        expect(await find(tag)).toMatchObject({ hash: genesis });
      expect(await find(`0x${(number + 1).toString(16)}`)).toBeNull();
      expect((await rpc(node.executionRpc, 'eth_getBlockByHash', parentHash, true)).result).toMatchObject({
        hash: parentHash,
        transactions: [{ type: '0x7e', blockHash: parentHash }],
      });
      expect((await rpc(node.executionRpc, 'eth_blockNumber')).result).toBe(`0x${number.toString(16)}`);
      expect((await rpc(node.executionRpc, 'eth_getBlockByNumber', 'nonsense', false)).error?.code).toBe(
        -32602,
      );
    });

    it('refuses payloads that are no payloads, and takes good ones that do not link yet', async () => {
      const source = await network.startNode(SHORT_PAUSES);
      await startSequencer(source);
      await until(() => source.conductor.committed.length >= 4, 'blocks');
      const [first, second, third] = source.conductor.committed as [
        PayloadEnvelope,
        PayloadEnvelope,
        PayloadEnvelope,
      ];
      const node = await network.startNode(SHORT_PAUSES);
      const send = (payload: unknown) => rpc(node.nodeRpc, 'admin_postUnsafePayload', payload);
      expect((await send({})).error).toEqual({ code: -32603, message: 'method handler crashed' });
      const { transactions: _, ...rest } = first.executionPayload;
      expect((await send({ ...first, executionPayload: rest })).error).toMatchObject({
        code: -32602,
        message: expect.stringMatching(/^invalid argument 0: executionPayload\.transactions/),
      });
      for (const payload of [third, second]) expect(await send(payload)).toMatchObject({ result: null });
      expect(await send(first)).toMatchObject({ result: null });
      await until(() => headNumber(node) === 3, 'the queue is imported');
      expect(node.node.state().head).toEqual(refOf(third));
    });

    it('tells its version on /healthz', async () => {
      const { nodeRpc } = await network.startNode(SHORT_PAUSES);
      const { body } = await request(`${nodeRpc}/healthz`);
      expect(await body.json()).toEqual({ version: 'v0.0.0-dev' });
    });
  });

  it('serves its canonical chain on the control port', async () => {
    const node = await network.startNode(SHORT_PAUSES);
    await startSequencer(node);
    await until(() => headNumber(node) >= 3, 'blocks');
    await rpc(node.nodeRpc, 'admin_stopSequencer');
    const url = `http://127.0.0.1:${node.node.ports.controlPort}/control`;
    const blocks = (await (await request(`${url}/blocks?from=1`)).body.json()) as {
      number: number;
      hash: string;
    }[];
    expect(blocks.map(({ hash }) => hash)).toEqual(
      node.conductor.committed.map((block) => refOf(block).hash),
    );
    expect(await (await request(`${url}/state`)).body.json()).toEqual(
      JSON.parse(JSON.stringify(node.node.state())),
    );
  });

  it('comes back stopped, with its chain', async () => {
    const node = await network.startNode(SHORT_PAUSES);
    await startSequencer(node);
    await until(() => headNumber(node) >= 2, 'blocks');
    const before = node.node.state().head.number;
    await node.node.stop();
    const again = await startNode(
      {
        name: 'again',
        dataDir: node.dataDir,
        conductorRpc: node.conductor.url,
        ...SHORT_PAUSES,
        loseBlocksOnRestart: 2,
      },
      pino({ level: 'silent' }),
      () => {},
    );
    expect(again.state()).toMatchObject({ active: false, sealed: null });
    expect(again.state().head.number).toBeGreaterThanOrEqual(before);
    await again.stop();
  });

  it('refuses block times that do not divide a second', async () => {
    await expect(network.startNode({ blockTimeMs: 1500 })).rejects.toThrow('block time of 1500 ms');
    await expect(network.startNode({ blockTimeMs: 0 })).rejects.toThrow('block time of 0 ms');
  });
});
