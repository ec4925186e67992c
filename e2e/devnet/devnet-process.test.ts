import { afterEach, describe, expect, it } from '@jest/globals';
import { DevnetProcess, pickPorts } from './devnet-process.js';
import { blockHashOf } from './block.js';
import { refOf } from './payload.js';
import { rpc, TestNetwork, until } from './test-network.js';

const PROCESSES_MS = 60_000;

describe('devnet processes', () => {
  const network = new TestNetwork();
  const processes: DevnetProcess[] = [];
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((node) => node.stop()));
    await network.stop();
  });

  async function startProcess(name: string, options: { p2pPort?: number; peers?: string[] } = {}) {
    const conductor = await network.startConductor();
    const node = await DevnetProcess.start({
      name,
      dataDir: network.folder(),
      genesisTime: Math.floor(Date.now() / 1000),
      conductorRpc: conductor.url,
      blockTimeMs: 100,
      payloadBytes: 500,
      commitBackoffMs: 50,
      loseBlocksOnRestart: 4,
      ...options,
    });
    processes.push(node);
    return { node, conductor };
  }

  it(
    'keep a chain through a kill, a restart some blocks behind, and the posting of the lost blocks',
    async () => {
      const genesisTime = Math.floor(Date.now() / 1000);
      const p2pPorts = await pickPorts(3);
      const url = (port: number) => `http://127.0.0.1:${port}`;
      const starts = p2pPorts.map((p2pPort, index) => {
        const peers = p2pPorts.filter((port) => port !== p2pPort).map(url);
        return startProcess(`node-${index}`, { p2pPort, peers, ...{ genesisTime } });
      });
      const [a, b, c] = await Promise.all(
        starts as [(typeof starts)[0], (typeof starts)[0], (typeof starts)[0]],
      );
      const all = [a.node, b.node, c.node];
      await until(
        async () => (await Promise.all(all.map((node) => node.state()))).every((s) => s.connectedPeers === 2),
        'everybody is connected',
      );
      const genesis = (await a.node.state()).head.hash;
      expect(await rpc(a.node.nodeRpc, 'admin_startSequencer', genesis)).toMatchObject({ result: null });
      await until(async () => (await b.node.state()).head.number >= 8, 'blocks on the second node');

      const urls = [a.node.nodeRpc, a.node.executionRpc, a.node.controlUrl];
      await a.node.kill();
      expect(a.node.pid).toBeUndefined();
      await expect(rpc(a.node.nodeRpc, 'optimism_version')).rejects.toThrow();
      const committed = a.conductor.committed.map(refOf);
      for (const block of a.conductor.committed) expect(blockHashOf(block)).toBe(refOf(block).hash);
      await until(async () => (await c.node.state()).head.number >= committed.length - 1, 'the third node');

      await a.node.restart();
      expect([a.node.nodeRpc, a.node.executionRpc, a.node.controlUrl]).toEqual(urls);
      const back = await a.node.state();
      expect(back.active).toBe(false);
      expect(back.head.number).toBeLessThanOrEqual(committed.length - 4);
      expect(back.head.number).toBeGreaterThanOrEqual(committed.length - 5);

      for (const block of a.conductor.committed.slice(back.head.number)) {
        expect(await rpc(a.node.nodeRpc, 'admin_postUnsafePayload', block)).toMatchObject({ result: null });
      }
      await until(async () => (await a.node.state()).head.number === committed.length, 'the lost blocks');
      expect(await a.node.blocks(1)).toEqual(committed);

      const head = (await b.node.state()).head;
      expect(await rpc(b.node.nodeRpc, 'admin_startSequencer', head.hash)).toMatchObject({ result: null });
      await until(
        async () => (await c.node.state()).head.number >= head.number + 3,
        'blocks of the second node',
      );
    },
    PROCESSES_MS,
  );

  it(
    'end by the crash fault, by SIGTERM without losing anything, and say why they cannot start',
    async () => {
      const { node } = await startProcess('lonely');
      await rpc(node.nodeRpc, 'admin_startSequencer', (await node.state()).head.hash);
      await until(async () => (await node.state()).head.number >= 6, 'blocks');
      await node.control('crash', {});
      await until(() => node.pid === undefined, 'the process is gone');
      await node.restart();
      const { head } = await node.state();
      expect(head.number).toBeGreaterThanOrEqual(2);
      await node.stop();
      await node.restart();
      expect((await node.state()).head).toEqual(head);
      await node.stop();
      await expect(node.restart({ blockTimeMs: 1700 })).rejects.toThrow(
        /lonely ended with 1 before.*block time of 1700 ms/s,
      );
    },
    PROCESSES_MS,
  );
});
