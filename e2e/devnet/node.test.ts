import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { request } from 'undici';
import { startNode } from './node.js';
import { refOf, type PayloadEnvelope } from './payload.js';
import { post, rpc, TestNetwork, until, type RpcAnswer, type TestNode } from './test-network.js';

const BLOCK_TIME_MS = 40;
const genesisTime = Math.floor(Date.now() / 1000);
/** Short pauses, so that tests need not wait for op-node's. */
const options = { genesisTime, blockTimeMs: BLOCK_TIME_MS, commitBackoffMs: 30, conductorRpcTimeoutMs: 400 };

const numberOf = ({ node }: TestNode) => node.state().head.number;

async function start({ node, nodeRpc }: TestNode): Promise<RpcAnswer> {
  return rpc(nodeRpc, 'admin_startSequencer', node.state().head.hash);
}

/** True when a call is not answered within a moment. */
async function isSilent(url: string, method: string): Promise<boolean> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] });
  const headers = { 'content-type': 'application/json' };
  try {
    await request(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(150) });
    return false;
  } catch {
    return true;
  }
}

describe('simulated node', () => {
  const network = new TestNetwork();
  afterEach(() => network.stop());

  /** A sequencing node and a standby, connected. */
  async function startPair(): Promise<[TestNode, TestNode]> {
    const standby = await network.startNode({ ...options, name: 'standby' });
    const active = await network.startNode({ ...options, name: 'active', peers: [standby.p2pUrl] });
    await standby.control('peers', { peers: [active.p2pUrl] });
    await until(() => standby.node.state().connectedPeers === 1, 'connected peers');
    expect(await start(active)).toMatchObject({ result: null });
    await until(() => numberOf(standby) >= 2, 'blocks on the standby');
    return [active, standby];
  }

  describe('starting', () => {
    it('names every reason against it in op-node’s words and order', async () => {
      const node = await network.startNode(options);
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
      expect(await start(node)).toMatchObject({ result: null });
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
      const node = await network.startNode({ ...options, conductorRpcTimeoutMs: 60 });
      let release = () => {};
      node.conductor.gate = new Promise<void>((resolve) => (release = resolve));
      expect((await start(node)).error?.message).toBe(
        'sequencer leader check failed: context deadline exceeded',
      );
      expect(node.node.state().active).toBe(false);
      release();
    });

    it('fails after two attempts when the conductor is not there', async () => {
      const node = await network.startNode({ ...options, conductorRpc: 'http://127.0.0.1:9' });
      expect((await start(node)).error?.message).toMatch(
        /^sequencer leader check failed: operation failed permanently after 2 attempts: .*ECONNREFUSED/,
      );
    });

    it('is refused while op-node does not know its chain, and syncStatus is all zero', async () => {
      const node = await network.startNode({ ...options, startupMs: 60_000 });
      const { hash } = node.node.state().head;
      expect((await start(node)).error?.message).toBe(
        `no prestate, cannot determine if sequencer start at ${hash} is safe`,
      );
      const { result } = await rpc(node.nodeRpc, 'optimism_syncStatus');
      expect(result).toMatchObject({
        unsafe_l2: { number: 0, timestamp: 0, hash: expect.stringMatching(/^0x0+$/) },
      });
    });

    it('needs no leader once the leader is overridden, and then commits nothing', async () => {
      const node = await network.startNode(options);
      node.conductor.isLeader = false;
      expect(await rpc(node.nodeRpc, 'admin_overrideLeader')).toMatchObject({ result: null });
      expect(await start(node)).toMatchObject({ result: null });
      await until(() => numberOf(node) >= 2, 'blocks');
      expect(node.conductor.received).toEqual([]);
    });
  });

  describe('its JSON-RPC', () => {
    it('answers what it does not understand as go-ethereum does', async () => {
      const { nodeRpc, executionRpc } = await network.startNode(options);
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
      const node = await network.startNode(options);
      const genesis = node.node.state().head.hash;
      await start(node);
      await until(() => numberOf(node) >= 2, 'blocks');
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
      const source = await network.startNode(options);
      await start(source);
      await until(() => source.conductor.committed.length >= 4, 'blocks');
      const [first, second, third] = source.conductor.committed as [
        PayloadEnvelope,
        PayloadEnvelope,
        PayloadEnvelope,
      ];
      const node = await network.startNode(options);
      const send = (payload: unknown) => rpc(node.nodeRpc, 'admin_postUnsafePayload', payload);
      expect((await send({})).error).toEqual({ code: -32603, message: 'method handler crashed' });
      const { transactions: _, ...rest } = first.executionPayload;
      expect((await send({ ...first, executionPayload: rest })).error).toMatchObject({
        code: -32602,
        message: expect.stringMatching(/^invalid argument 0: executionPayload\.transactions/),
      });
      for (const payload of [third, second]) expect(await send(payload)).toMatchObject({ result: null });
      expect(await send(first)).toMatchObject({ result: null });
      await until(() => numberOf(node) === 3, 'the queue is imported');
      expect(node.node.state().head).toEqual(refOf(third));
    });

    it('tells its version on /healthz', async () => {
      const { nodeRpc } = await network.startNode(options);
      const { body } = await request(`${nodeRpc}/healthz`);
      expect(await body.json()).toEqual({ version: 'v0.0.0-dev' });
    });
  });

  describe('gossip', () => {
    it('brings every block to the peers, with the same hashes', async () => {
      const [active, standby] = await startPair();
      await rpc(active.nodeRpc, 'admin_stopSequencer');
      await until(() => numberOf(standby) === numberOf(active), 'the last block');
      expect(standby.node.state().head).toEqual(active.node.state().head);
      expect(active.conductor.committed.at(-1)!.executionPayload.blockHash).toBe(
        standby.node.state().head.hash,
      );
    });

    it('refuses a block with a wrong hash', async () => {
      const [active, standby] = await startPair();
      const block = active.conductor.committed[0]!;
      const forged = { ...block, executionPayload: { ...block.executionPayload, gasUsed: '0x7' } };
      expect(JSON.parse(await post(`${standby.p2pUrl}/gossip`, JSON.stringify(forged)))).toMatchObject({
        error: 'bad block hash',
      });
    });

    it('takes the time that it is told', async () => {
      const standby = await network.startNode(options);
      const active = await network.startNode({ ...options, peers: [standby.p2pUrl], gossipDelayMs: 200 });
      await start(active);
      await until(() => numberOf(active) >= 1, 'a block');
      const builtMs = performance.now();
      await until(() => numberOf(standby) >= 1, 'the block on the standby');
      expect(performance.now() - builtMs).toBeGreaterThan(120);
    });

    it('loses the same share of blocks again for the same seed', async () => {
      const arrived = async () => {
        const standby = await network.startNode(options);
        const active = await network.startNode({
          ...options,
          peers: [standby.p2pUrl],
          gossipLoss: 0.5,
          seed: 7,
        });
        await start(active);
        await until(() => numberOf(active) >= 12, 'blocks');
        await rpc(active.nodeRpc, 'admin_stopSequencer');
        await sleep(50);
        const { head, counts } = standby.node.state();
        return [head.number, counts.waiting > 0 && counts.waiting < 12];
      };
      const once = await arrived();
      expect(once[1]).toBe(true);
      expect(await arrived()).toEqual(once);
    });
  });

  describe('faults', () => {
    it('hang: accepts connections, answers nothing, builds nothing; resume: goes on', async () => {
      const [active, standby] = await startPair();
      await active.control('hang', { target: 'op-node' });
      expect(await isSilent(active.nodeRpc, 'admin_sequencerActive')).toBe(true);
      expect(await isSilent(active.executionRpc, 'eth_blockNumber')).toBe(false);
      const frozenAt = numberOf(active);
      await until(() => standby.node.state().connectedPeers === 0, 'the peer is lost');
      expect(numberOf(active)).toBe(frozenAt);
      await active.control('resume', {});
      expect(await rpc(active.nodeRpc, 'admin_sequencerActive')).toMatchObject({ result: true });
      await until(() => numberOf(standby) > frozenAt, 'new blocks');
    });

    it('hang of the execution client: op-node answers, nothing is built; ends by itself', async () => {
      const [active] = await startPair();
      await active.control('hang', { target: 'execution', ms: 300 });
      expect(await isSilent(active.executionRpc, 'eth_blockNumber')).toBe(true);
      expect(await rpc(active.nodeRpc, 'admin_sequencerActive')).toMatchObject({ result: true });
      const frozenAt = numberOf(active);
      await until(() => numberOf(active) > frozenAt + 1, 'new blocks');
      expect(await isSilent(active.executionRpc, 'eth_blockNumber')).toBe(false);
    });

    it('hang of a standby: gossip waits in its sockets', async () => {
      const [active, standby] = await startPair();
      await standby.control('hang', { target: 'both' });
      const frozenAt = numberOf(standby);
      await until(() => numberOf(active) > frozenAt + 4, 'blocks');
      expect(numberOf(standby)).toBe(frozenAt);
      await rpc(active.nodeRpc, 'admin_stopSequencer');
      await standby.control('resume', {});
      await until(() => numberOf(standby) === numberOf(active), 'the missed blocks');
    });

    it('stop-gossip: peers stay connected, blocks do not arrive, later ones wait', async () => {
      const [active, standby] = await startPair();
      await standby.control('stop-gossip', {});
      await until(() => numberOf(active) > numberOf(standby) + 3, 'a gap');
      expect(standby.node.state().connectedPeers).toBe(1);
      await standby.control('resume-gossip', {});
      await until(() => standby.node.state().counts.waiting > 0, 'a block that waits');
      await rpc(active.nodeRpc, 'admin_stopSequencer');
      const missing = active.conductor.committed.slice(numberOf(standby));
      for (const block of missing) await rpc(standby.nodeRpc, 'admin_postUnsafePayload', block);
      await until(() => numberOf(standby) === numberOf(active), 'the gap is closed');
    });

    it('lose-peers: both sides count no peer until regain-peers', async () => {
      const [active, standby] = await startPair();
      await standby.control('lose-peers', {});
      expect((await rpc(standby.nodeRpc, 'opp2p_peerStats')).result).toMatchObject({
        connected: 0,
        known: 2,
      });
      expect((await rpc(standby.executionRpc, 'net_peerCount')).result).toBe('0x0');
      await until(() => active.node.state().connectedPeers === 0, 'the other side notices');
      await standby.control('regain-peers', {});
      await until(() => active.node.state().connectedPeers === 1, 'the other side notices');
      await until(() => standby.node.state().connectedPeers === 1, 'this side notices');
      expect((await rpc(standby.nodeRpc, 'opp2p_peerStats')).result).toMatchObject({
        connected: 1,
        blocksTopicV4: 1,
      });
      expect((await rpc(standby.executionRpc, 'admin_peers')).result).toHaveLength(1);
    });

    it('slow-rpc: answers come late', async () => {
      const node = await network.startNode(options);
      await node.control('slow-rpc', { ms: 120, target: 'op-node' });
      const atMs = performance.now();
      await rpc(node.nodeRpc, 'optimism_version');
      expect(performance.now() - atMs).toBeGreaterThanOrEqual(118);
      await node.control('slow-rpc', { ms: 0 });
      expect(await isSilent(node.nodeRpc, 'optimism_version')).toBe(false);
    });

    it('rollup-boost: both health endpoints say so, or nothing', async () => {
      const node = await network.startNode(options);
      const get = async (path: string) => {
        const { statusCode, body } = await request(`${node.executionRpc}${path}`, {
          signal: AbortSignal.timeout(150),
        });
        return [statusCode, await body.text()];
      };
      const said = [];
      for (const health of ['partial', 'unhealthy', 'healthy'] as const) {
        await node.control('rollup-boost', { health });
        said.push([...(await get('/healthz')), ...(await get('/rollup-boost'))]);
      }
      const json = (name: string) => JSON.stringify({ version: '0.7.0', rollup_boost_health: name });
      expect(said).toEqual([
        [206, '', 200, json('PartialContent')],
        [503, '', 200, json('ServiceUnavailable')],
        [200, '', 200, json('Healthy')],
      ]);
      await node.control('rollup-boost', { health: 'hung' });
      await expect(get('/healthz')).rejects.toThrow();
      await expect(get('/rollup-boost')).rejects.toThrow();
    });

    it('execution-peers, safe-lag, fail: what op-node and execution client tell', async () => {
      const node = await network.startNode(options);
      await start(node);
      await until(() => numberOf(node) >= 5, 'blocks');
      await rpc(node.nodeRpc, 'admin_stopSequencer');
      await node.control('execution-peers', { count: 7 });
      expect((await rpc(node.executionRpc, 'net_peerCount')).result).toBe('0x7');
      await node.control('execution-peers', { count: null });
      expect((await rpc(node.executionRpc, 'net_peerCount')).result).toBe('0x0');

      const safe = async () =>
        ((await rpc(node.nodeRpc, 'optimism_syncStatus')).result as { safe_l2: { number: number } }).safe_l2
          .number;
      expect(await safe()).toBe(0);
      await node.control('safe-lag', { blocks: 3 });
      expect(await safe()).toBe(numberOf(node) - 3);

      await node.control('fail', { method: 'admin_startSequencer', error: 'no' });
      expect((await start(node)).error).toEqual({ code: -32000, message: 'no' });
      await node.control('fail', { method: 'admin_startSequencer', error: null });
      expect((await start(node)).result).toBe(null);
    });

    it('drop-commit-answers: the conductor has the block, op-node commits it again', async () => {
      const node = await network.startNode(options);
      await node.control('drop-commit-answers', { count: 1 });
      await start(node);
      await until(() => node.conductor.committed.length >= 1, 'the first commit');
      expect(numberOf(node)).toBe(0);
      await until(() => numberOf(node) >= 1, 'the block');
      const [first, second] = node.conductor.committed.map((block) => refOf(block).hash);
      expect(second).toBe(first);
      expect(node.node.state().counts.commitFailures).toBe(1);
    });

    it('fall-behind: the newest blocks are gone', async () => {
      const [active, standby] = await startPair();
      await until(() => numberOf(standby) >= 5, 'blocks');
      await rpc(active.nodeRpc, 'admin_stopSequencer');
      await until(() => numberOf(standby) === numberOf(active), 'the last block');
      const { number, hash } = standby.node.state().head;
      await standby.control('fall-behind', { blocks: 4 });
      expect(numberOf(standby)).toBe(number - 4);
      expect((await rpc(standby.executionRpc, 'eth_getBlockByHash', hash, false)).result).toBeNull();
      expect((await rpc(standby.nodeRpc, 'optimism_syncStatus')).result).toMatchObject({
        unsafe_l2: { number: number - 4 },
      });
    });

    it('reorg: heights are built again with other content, and the standby follows', async () => {
      const [active, standby] = await startPair();
      await until(() => numberOf(active) >= 6, 'blocks');
      const before = active.node.state().head;
      await active.control('reorg', { depth: 3 });
      await until(() => numberOf(standby) > before.number + 1, 'the standby passes the old head');
      await rpc(active.nodeRpc, 'admin_stopSequencer');
      await until(() => standby.node.state().head.hash === active.node.state().head.hash, 'one head');
      const built = active.conductor.committed.map(refOf).filter(({ number }) => number === before.number);
      expect(built.map(({ hash }) => hash)).toHaveLength(2);
      expect(built[0]!.hash).not.toBe(built[1]!.hash);
      const { result } = await rpc(
        standby.executionRpc,
        'eth_getBlockByNumber',
        `0x${before.number.toString(16)}`,
        false,
      );
      expect(result).toMatchObject({ hash: built[1]!.hash });
    });

    it('conductor: calls go to another conductor', async () => {
      const node = await network.startNode(options);
      const other = await network.startConductor(false);
      await node.control('conductor', { rpc: other.url });
      expect((await start(node)).error?.message).toBe('sequencer is not the leader, aborting');
    });

    it('are refused when unknown or wrong', async () => {
      const node = await network.startNode(options);
      expect(await node.control('nonsense' as 'resume', {})).toMatchObject({
        error: expect.stringContaining('there are: crash, hang'),
      });
      expect(await node.control('fall-behind', { blocks: -1 })).toMatchObject({ error: expect.any(String) });
      expect(await node.control('hang', { ms: 5, target: 'moon' as 'both' })).toHaveProperty('error');
    });
  });

  it('serves its canonical chain on the control port', async () => {
    const node = await network.startNode(options);
    await start(node);
    await until(() => numberOf(node) >= 3, 'blocks');
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
    const node = await network.startNode(options);
    await start(node);
    await until(() => numberOf(node) >= 2, 'blocks');
    const before = node.node.state().head.number;
    await node.node.stop();
    const again = await startNode(
      {
        name: 'again',
        dataDir: node.dataDir,
        conductorRpc: node.conductor.url,
        ...options,
        loseBlocksOnRestart: 2,
      },
      pino({ level: 'silent' }),
      () => {},
    );
    expect(again.state()).toMatchObject({ active: false, sealed: null });
    expect(again.state().head.number).toBeGreaterThanOrEqual(before);
    await again.stop();
  });

  it('refuses block times of which a second is no multiple', async () => {
    await expect(network.startNode({ blockTimeMs: 1500 })).rejects.toThrow('block time of 1500 ms');
    await expect(network.startNode({ blockTimeMs: 0 })).rejects.toThrow('block time of 0 ms');
  });
});
