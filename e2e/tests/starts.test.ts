import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BatonProcess, type LogLine } from '../cluster/baton-process.js';
import { ScriptedNode } from '../cluster/scripted-node.js';
import { waitFor } from '../cluster/wait-for.js';
import { pickPorts } from '../devnet/devnet-process.js';

interface Waiting {
  waitsFor: { waitsFor: string; reason: string; remedy: string }[];
  forMs: number;
}

describe('a start ends, or says what it waits for', () => {
  let directory: string;
  let node: ScriptedNode;
  let ports: number[];
  const batons: BatonProcess[] = [];
  const starting: Promise<unknown>[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'baton-starts-'));
    node = await ScriptedNode.start();
    ports = await pickPorts(4);
  });
  afterEach(async () => {
    await Promise.all(batons.splice(0).map((baton) => baton.dispose()));
    await Promise.all(starting.splice(0));
    node.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** A starting process; `ended` has its failure. */
  const begin = (
    flags: readonly string[],
    { storageDir = directory, nodeRpc = node.url, executionRpc = node.url } = {},
  ) => {
    const [consensusPort, rpcPort] = ports as [number, number];
    const baton = new BatonProcess({
      ...{ id: 'a', storageDir, consensusPort, rpcPort, nodeRpc, executionRpc },
      flags: ['--healthcheck.unsafe-interval', '9999999999', ...flags],
    });
    batons.push(baton);
    const ended = baton.start().then(
      () => undefined,
      (error: Error) => error.message,
    );
    starting.push(ended);
    return { baton, ended };
  };

  const alone = (): string[] => ['--raft.peers', `a@127.0.0.1:${ports[0]}`];

  const saidOf = ({ log }: BatonProcess): (LogLine & Waiting)[] =>
    log.filter(({ msg }) => msg === 'startup is waiting') as (LogLine & Waiting)[];

  const waiting = (baton: BatonProcess, what: string): Promise<Waiting> =>
    waitFor(`a line that it waits for ${what}`, () =>
      saidOf(baton).find(({ waitsFor }) => waitsFor.map((one) => one.waitsFor).join() === what),
    );

  it('while op-node is not there, and until it is', async () => {
    const nobody = `http://127.0.0.1:${ports[2]}`;
    const { baton } = begin(alone(), { nodeRpc: nobody });
    const said = await waiting(baton, 'op-node');
    expect(said.forMs).toBeLessThan(5000);
    expect(said.waitsFor[0]).toMatchObject({
      reason: expect.stringContaining(`at ${nobody}: connect ECONNREFUSED`),
      remedy: expect.stringContaining('--node.rpc'),
    });
    await waitFor('it to say so again', () => saidOf(baton).length >= 2);
    expect(saidOf(baton)[1]!.forMs).toBeGreaterThan(said.forMs + 1500);
  });

  it('while the execution client is not there', async () => {
    const nobody = `http://127.0.0.1:${ports[2]}`;
    const { baton } = begin(alone(), { executionRpc: nobody });
    const { waitsFor } = await waiting(baton, 'execution-client');
    expect(waitsFor[0]).toMatchObject({
      reason: expect.stringContaining(nobody),
      remedy: expect.stringContaining('--execution.rpc'),
    });
  });

  it('while its peers are not there', async () => {
    const { baton } = begin(['--raft.peers', `a@127.0.0.1:${ports[0]},b@127.0.0.1:${ports[2]}`]);
    const { waitsFor } = await waiting(baton, 'cluster');
    expect(waitsFor[0]!.reason).toContain(`b at 127.0.0.1:${ports[2]} does not answer`);
    expect(await baton.kill('SIGTERM')).toBe(0);
  });

  it('while nobody has added it', async () => {
    const { baton } = begin([]);
    const { waitsFor } = await waiting(baton, 'cluster');
    expect(waitsFor[0]).toMatchObject({
      reason: 'waiting to be added',
      remedy: expect.stringContaining('baton add'),
    });
  });

  it('when a port is taken', async () => {
    const taken = net.createServer().listen(ports[1], '127.0.0.1');
    await once(taken, 'listening');
    try {
      const { baton, ended } = begin(alone());
      expect(await ended).toContain('ended with 1');
      expect(baton.log.at(-1)).toMatchObject({
        msg: 'exiting',
        err: {
          code: 'port-in-use',
          message: expect.stringContaining(
            `cannot listen on the RPC port: listen EADDRINUSE: address already in use 127.0.0.1:${ports[1]}`,
          ),
          remedy: expect.stringContaining('--rpc.port'),
        },
      });
    } finally {
      taken.close();
    }
  });

  it('when its directory is in use', async () => {
    const first = begin(alone());
    expect(await first.ended).toBeUndefined();
    ports = ports.slice(2);
    const { baton, ended } = begin(alone());
    expect(await ended).toContain('ended with 1');
    expect(baton.log.at(-1)).toMatchObject({ err: { code: 'locked', remedy: expect.any(String) } });
  });

  it('when its directory cannot be made', async () => {
    const { baton, ended } = begin(alone(), { storageDir: '/proc/nowhere' });
    const outcome = await Promise.race([ended, waiting(baton, 'data-directory')]);
    if (typeof outcome === 'string') {
      expect(outcome).toContain('ended with 1');
    } else {
      expect(outcome?.waitsFor[0]?.reason).toBe('opening /proc/nowhere');
      const startedMs = performance.now();
      await baton.kill('SIGTERM');
      // A thread is lost in the attempt, and nobody waits for it.
      expect(performance.now() - startedMs).toBeLessThan(8000);
    }
  });
});
