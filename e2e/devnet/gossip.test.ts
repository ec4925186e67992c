import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { headNumber, post, rpc, SHORT_PAUSES, startSequencer, TestNetwork, until } from './test-network.js';

describe('gossip between simulated nodes', () => {
  const network = new TestNetwork();
  afterEach(() => network.stop());

  it('brings every block to the peers, with the same hashes', async () => {
    const [active, standby] = await network.startPair();
    await rpc(active.nodeRpc, 'admin_stopSequencer');
    await until(() => headNumber(standby) === headNumber(active), 'the last block');
    expect(standby.node.state().head).toEqual(active.node.state().head);
    expect(active.conductor.committed.at(-1)!.executionPayload.blockHash).toBe(
      standby.node.state().head.hash,
    );
  });

  it('is the only source: a node that missed blocks does not ask its peers for them', async () => {
    const [active, standby] = await network.startPair();
    await standby.control('stop-gossip', {});
    const missed = headNumber(active) + 3;
    await until(() => headNumber(active) >= missed, 'blocks that the standby misses');
    await standby.control('resume-gossip', {});
    await until(() => standby.node.state().counts.waiting > 3, 'later blocks, which wait');
    expect(headNumber(standby)).toBeLessThan(missed);
  });

  it('is not the only source for a node that is told to ask its peers', async () => {
    const [active, standby] = await network.startPair({ asksPeers: true });
    await standby.control('stop-gossip', {});
    const missed = headNumber(active) + 3;
    await until(() => headNumber(active) >= missed, 'blocks that the standby misses');
    expect(headNumber(standby)).toBeLessThan(missed);
    await standby.control('resume-gossip', {});
    await until(() => headNumber(standby) > missed, 'the missed blocks');
  });

  it('refuses a block with a wrong hash', async () => {
    const [active, standby] = await network.startPair();
    const block = active.conductor.committed[0]!;
    const forged = { ...block, executionPayload: { ...block.executionPayload, gasUsed: '0x7' } };
    expect(JSON.parse(await post(`${standby.p2pUrl}/gossip`, JSON.stringify(forged)))).toMatchObject({
      error: 'bad block hash',
    });
  });

  it('takes the configured time', async () => {
    const standby = await network.startNode(SHORT_PAUSES);
    const active = await network.startNode({ ...SHORT_PAUSES, peers: [standby.p2pUrl], gossipDelayMs: 200 });
    await startSequencer(active);
    await until(() => headNumber(active) >= 1, 'a block');
    const builtMs = performance.now();
    await until(() => headNumber(standby) >= 1, 'the block on the standby');
    expect(performance.now() - builtMs).toBeGreaterThan(120);
  });

  it('loses the same blocks again for the same seed', async () => {
    const arrived = async () => {
      const standby = await network.startNode(SHORT_PAUSES);
      const active = await network.startNode({
        ...SHORT_PAUSES,
        peers: [standby.p2pUrl],
        gossipLoss: 0.5,
        seed: 7,
      });
      await startSequencer(active);
      await until(() => headNumber(active) >= 12, 'blocks');
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
