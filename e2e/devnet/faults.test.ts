import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { refOf } from './payload.js';
import { headNumber, rpc, SHORT_PAUSES, startSequencer, TestNetwork, until } from './test-network.js';

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

describe('faults of a simulated node', () => {
  const network = new TestNetwork();
  afterEach(() => network.stop());

  it('hang: accepts connections, answers nothing, builds nothing; resume: goes on', async () => {
    const [active, standby] = await network.startPair();
    await active.control('hang', { target: 'op-node' });
    expect(await isSilent(active.nodeRpc, 'admin_sequencerActive')).toBe(true);
    expect(await isSilent(active.executionRpc, 'eth_blockNumber')).toBe(false);
    const frozenAt = headNumber(active);
    await until(() => standby.node.state().connectedPeers === 0, 'the peer is lost');
    expect(headNumber(active)).toBe(frozenAt);
    await active.control('resume', {});
    expect(await rpc(active.nodeRpc, 'admin_sequencerActive')).toMatchObject({ result: true });
    await until(() => headNumber(standby) > frozenAt, 'new blocks');
  });

  it('hang of the execution client: op-node answers, nothing is built; ends by itself', async () => {
    const [active] = await network.startPair();
    await active.control('hang', { target: 'execution', ms: 300 });
    expect(await isSilent(active.executionRpc, 'eth_blockNumber')).toBe(true);
    expect(await rpc(active.nodeRpc, 'admin_sequencerActive')).toMatchObject({ result: true });
    const frozenAt = headNumber(active);
    await until(() => headNumber(active) > frozenAt + 1, 'new blocks');
    expect(await isSilent(active.executionRpc, 'eth_blockNumber')).toBe(false);
  });

  it('hang of a standby: gossip waits in its sockets', async () => {
    const [active, standby] = await network.startPair();
    await standby.control('hang', { target: 'both' });
    const frozenAt = headNumber(standby);
    await until(() => headNumber(active) > frozenAt + 4, 'blocks');
    expect(headNumber(standby)).toBe(frozenAt);
    await rpc(active.nodeRpc, 'admin_stopSequencer');
    await standby.control('resume', {});
    await until(() => headNumber(standby) === headNumber(active), 'the missed blocks');
  });

  it('stop-gossip: peers stay connected, blocks do not arrive, later ones wait', async () => {
    const [active, standby] = await network.startPair();
    await standby.control('stop-gossip', {});
    await until(() => headNumber(active) > headNumber(standby) + 3, 'a gap');
    expect(standby.node.state().connectedPeers).toBe(1);
    await standby.control('resume-gossip', {});
    await until(() => standby.node.state().counts.waiting > 0, 'a block that waits');
    await rpc(active.nodeRpc, 'admin_stopSequencer');
    const missing = active.conductor.committed.slice(headNumber(standby));
    for (const block of missing) await rpc(standby.nodeRpc, 'admin_postUnsafePayload', block);
    await until(() => headNumber(standby) === headNumber(active), 'the gap is closed');
  });

  it('lose-peers: both sides count no peer until regain-peers', async () => {
    const [active, standby] = await network.startPair();
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
    const node = await network.startNode(SHORT_PAUSES);
    await node.control('slow-rpc', { ms: 120, target: 'op-node' });
    const atMs = performance.now();
    await rpc(node.nodeRpc, 'optimism_version');
    expect(performance.now() - atMs).toBeGreaterThanOrEqual(118);
    await node.control('slow-rpc', { ms: 0 });
    expect(await isSilent(node.nodeRpc, 'optimism_version')).toBe(false);
  });

  it('rollup-boost: both health endpoints say so, or nothing', async () => {
    const node = await network.startNode(SHORT_PAUSES);
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
    const node = await network.startNode(SHORT_PAUSES);
    await startSequencer(node);
    await until(() => headNumber(node) >= 5, 'blocks');
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
    expect(await safe()).toBe(headNumber(node) - 3);

    await node.control('fail', { method: 'admin_startSequencer', error: 'no' });
    expect((await startSequencer(node)).error).toEqual({ code: -32000, message: 'no' });
    await node.control('fail', { method: 'admin_startSequencer', error: null });
    expect((await startSequencer(node)).result).toBe(null);
  });

  it('drop-commit-answers: the conductor has the block, op-node commits it again', async () => {
    const node = await network.startNode(SHORT_PAUSES);
    await node.control('drop-commit-answers', { count: 1 });
    await startSequencer(node);
    await until(() => node.conductor.committed.length >= 1, 'the first commit');
    expect(headNumber(node)).toBe(0);
    await until(() => headNumber(node) >= 1, 'the block');
    const [first, second] = node.conductor.committed.map((block) => refOf(block).hash);
    expect(second).toBe(first);
    expect(node.node.state().counts.commitFailures).toBe(1);
  });

  it('abandon-commits: the conductor has the block, and nobody waits for the answer', async () => {
    const node = await network.startNode(SHORT_PAUSES);
    await node.control('abandon-commits', { count: 1 });
    await startSequencer(node);
    let answer = () => {};
    node.conductor.gate = new Promise((resolve) => (answer = resolve));
    await until(() => node.conductor.received.length === 1, 'the commit');
    await sleep(50);
    answer();
    await until(() => node.conductor.abandoned === 1, 'a commit without anybody to answer');
    expect(headNumber(node)).toBe(0);
    await until(() => headNumber(node) >= 1, 'the block');
    const [first, second] = node.conductor.received.map((block) => refOf(block).hash);
    expect(second).toBe(first);
    expect(node.node.state().counts.commitFailures).toBe(1);
  });

  it('fall-behind: the newest blocks are gone', async () => {
    const [active, standby] = await network.startPair();
    await until(() => headNumber(standby) >= 5, 'blocks');
    await rpc(active.nodeRpc, 'admin_stopSequencer');
    await until(() => headNumber(standby) === headNumber(active), 'the last block');
    const { number, hash } = standby.node.state().head;
    await standby.control('fall-behind', { blocks: 4 });
    expect(headNumber(standby)).toBe(number - 4);
    expect((await rpc(standby.executionRpc, 'eth_getBlockByHash', hash, false)).result).toBeNull();
    expect((await rpc(standby.nodeRpc, 'optimism_syncStatus')).result).toMatchObject({
      unsafe_l2: { number: number - 4 },
    });
  });

  /** A pair that has built blocks of the second L1 block. */
  const pairOnSecondL1Block = async () => {
    const [active, standby] = await network.startPair({ l1BlockTime: 1 });
    await until(() => standby.node.state().l1Origin >= 2, 'the second L1 block');
    return [active, standby] as const;
  };

  it('reorg: both nodes walk back by themselves, and the heights are built again from another L1', async () => {
    const [active, standby] = await pairOnSecondL1Block();
    await rpc(active.nodeRpc, 'admin_stopSequencer');
    await until(() => headNumber(standby) === headNumber(active), 'the last block');
    const before = active.node.state().head;
    await active.control('reorg', { from: 2 });
    await standby.control('reorg', { from: 2 });
    expect(active.node.state()).toMatchObject({ l1Origin: 1 });
    const { head, unsafeHead } = standby.node.state();
    expect(unsafeHead).toEqual(active.node.state().unsafeHead);
    expect(unsafeHead.number).toBeLessThan(before.number);
    // As op-geth, which a walk-back does not move.
    expect(head).toEqual(before);

    await startSequencer(active);
    await until(() => headNumber(standby) > before.number, 'the standby passes the old head');
    const built = active.conductor.committed.map(refOf).filter(({ number }) => number === before.number);
    expect(new Set(built.map(({ hash }) => hash)).size).toBe(2);
    const at = `0x${before.number.toString(16)}`;
    const { result } = await rpc(standby.executionRpc, 'eth_getBlockByNumber', at, false);
    expect(result).toMatchObject({ hash: built.at(-1)!.hash });
  });

  it('reorg that only the active node notices: no payload takes the standby along', async () => {
    const [active, standby] = await pairOnSecondL1Block();
    const before = standby.node.state().head;
    await active.control('reorg', { from: 2 });
    await until(() => headNumber(active) > before.number + 5, 'the heights to be built again');
    const { head, counts } = standby.node.state();
    expect(counts.dropped).toBeGreaterThan(0);
    for (const block of active.conductor.committed) {
      await rpc(standby.nodeRpc, 'admin_postUnsafePayload', block);
    }
    await until(() => standby.node.state().counts.dropped >= counts.dropped + head.number, 'all are dropped');
    expect(standby.node.state().head).toEqual(head);
    await standby.control('reorg', { from: 2 });
    // Not the old blocks, which would build on where the branches fork as well.
    const { committed } = active.conductor;
    const { number } = standby.node.state().unsafeHead;
    const first = committed.findLastIndex((block) => refOf(block).number === number + 1);
    for (const block of committed.slice(first)) {
      await rpc(standby.nodeRpc, 'admin_postUnsafePayload', block);
    }
    await until(() => headNumber(standby) >= headNumber(active), 'the standby catches up');
  });

  it('reorg while op-node is away: it is noticed at the start', async () => {
    const [active] = await pairOnSecondL1Block();
    const before = headNumber(active);
    await active.node.stop();
    const again = await network.startNode({
      ...SHORT_PAUSES,
      dataDir: active.dataDir,
      l1BlockTime: 1,
      l1Reorgs: [2],
    });
    expect(again.node.state()).toMatchObject({ l1Origin: 1 });
    expect(again.node.state().unsafeHead.number).toBeLessThan(before);
    expect(headNumber(again)).toBe(before);
  });

  it('reset by an operator: op-node finds its head again', async () => {
    const [active] = await pairOnSecondL1Block();
    await rpc(active.nodeRpc, 'admin_stopSequencer');
    await active.control('reorg', { from: 2 });
    const { unsafeHead } = active.node.state();
    const [, next] = active.conductor.committed.slice(unsafeHead.number - 1);
    await rpc(active.nodeRpc, 'admin_postUnsafePayload', next);
    await until(() => active.node.state().unsafeHead.number > unsafeHead.number, 'the dead branch');
    await rpc(active.nodeRpc, 'admin_resetDerivationPipeline');
    await until(() => active.node.state().unsafeHead.number === unsafeHead.number, 'the walk back');
  });

  it('reseal: a block whose commit failed comes back with another hash', async () => {
    const node = await network.startNode(SHORT_PAUSES);
    await node.control('reseal', { on: true });
    await node.control('drop-commit-answers', { count: 1 });
    await startSequencer(node);
    await until(() => headNumber(node) >= 1, 'the block');
    const [first, second] = node.conductor.committed.map(refOf);
    expect(second).toMatchObject({ number: 1, parentHash: first!.parentHash });
    expect(second!.hash).not.toBe(first!.hash);
  });

  it('conductor: calls go to another conductor', async () => {
    const node = await network.startNode(SHORT_PAUSES);
    const other = await network.startConductor(false);
    await node.control('conductor', { rpc: other.url });
    expect((await startSequencer(node)).error?.message).toBe('sequencer is not the leader, aborting');
  });

  it('are refused when unknown or invalid', async () => {
    const node = await network.startNode(SHORT_PAUSES);
    expect(await node.control('nonsense' as 'resume', {})).toMatchObject({
      error: expect.stringContaining('there are: crash, hang'),
    });
    expect(await node.control('fall-behind', { blocks: -1 })).toMatchObject({ error: expect.any(String) });
    expect(await node.control('hang', { ms: 5, target: 'moon' as 'both' })).toHaveProperty('error');
  });
});
